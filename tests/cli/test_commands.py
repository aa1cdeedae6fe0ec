"""The command line as a person or a script uses it: in a process of its own."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ltx_studio.cli import commands
from ltx_studio.engine import Engine
from ltx_studio.graph.definitions import Definitions
from ltx_studio.settings import Settings
from ltx_studio.studio import set_up
from tests.support import TEMPLATES, environment, load_golden_editor, outputs_of, run_studio, staged_in

PROMPT = "a red ball bounces to the right"
SMALL = ["--prompt", PROMPT, "--width", "128", "--height", "128", "--seconds", "0.7", "--seed", "7"]


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["generate", "t2v"], "Prompt", "Write a prompt"),
        (["generate", "t2v", "--prompt", "  "], "empty", "Write a prompt"),
        (["generate", "t2v", "--prompt", "x" * 100_000], "too long", "at most 10000"),
        (["generate", "t2v", *SMALL, "--width", "0"], "Width", "from 128"),
        (["generate", "t2v", *SMALL, "--fps", "fast"], "'fast'", "--help"),
        (["generate", "t2v", *SMALL, "--model-set", "huge"], "'huge'", "pocket"),
        (["generate", "t2v", *SMALL, "--out", "clip.avi"], "clip.avi", "clip.mp4"),
        (["generate", "t2v", *SMALL, "--nonsense"], "--nonsense", "--help"),
        (["generate", "x2v", *SMALL], "'x2v'", "t2v"),
        (["modes", "x2v"], "'x2v'", "t2v"),
        (["fly"], "'fly'", "--help"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_a_wrong_request_exits_with_2_and_ends_with_what_to_do(
    home: Settings, arguments: list[str], said: str, hint: str
) -> None:
    done = run_studio(home, *arguments)

    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr.splitlines()[0]
    assert hint in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("sink", ["stdout", "stderr"])
def test_a_full_sink_is_no_traceback(home: Settings, sink: str) -> None:
    command = [sys.executable, "-m", "ltx_studio", "modes", "--json"]
    with Path("/dev/full").open("w") as full:
        stdout, stderr = (full, subprocess.PIPE) if sink == "stdout" else (subprocess.PIPE, full)
        done = subprocess.run(command, env=environment(home), text=True, check=False, stdout=stdout, stderr=stderr)

    assert "Traceback" not in f"{done.stdout}{done.stderr}"
    assert done.returncode == (1 if sink == "stdout" else 0)


@pytest.mark.parametrize("arguments", [[], ["generate"]])
def test_without_a_command_it_shows_what_there_is(home: Settings, arguments: list[str]) -> None:
    done = run_studio(home, *arguments)

    assert done.returncode == 2
    assert "Usage:" in done.stderr
    assert "Error" not in done.stderr


def test_with_json_an_error_is_one_object_on_stderr(home: Settings) -> None:
    done = run_studio(home, "generate", "t2v", "--prompt", "", "--json")

    assert done.returncode == 2
    assert set(json.loads(done.stderr)) == {"error", "message", "hint"}
    assert json.loads(done.stderr)["error"] == "request"


def test_without_a_set_up_it_says_so_and_exits_with_1(home: Settings) -> None:
    done = run_studio(home, "generate", "t2v", *SMALL, LTX_STUDIO_COMFY_DIR="")

    assert done.returncode == 1
    assert "Pocket preview" in done.stderr
    assert "not installed" in done.stderr
    assert "ltx-studio setup" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_modes_tells_scripts_what_each_takes(home: Settings) -> None:
    shown = json.loads(run_studio(home, "modes", "--json").stdout)

    assert set(shown) == {"t2v", "a2v", "i2v", "lipsync", "keyframe", "style"}
    assert {"prompt", "seconds", "seed", "loras"} < set(shown["t2v"]["params"]["properties"])
    assert shown["t2v"]["presets"][0] == {
        "id": "fast",
        "label": "Fast",
        "description": (
            "Good for most clips. The distilled model: 8 steps at half size, then 3 at full size; no guidance."
        ),
        "passes": [8, 3],
        "unavailable": "",
    }
    assert "--seconds" in run_studio(home, "modes", "t2v").stdout


def test_modes_tells_which_presets_a_model_set_cannot_do(home: Settings) -> None:
    shown = json.loads(run_studio(home, "modes", "style", "--model-set", "distilled-fp8", "--json").stdout)

    unavailable = {preset["id"]: preset["unavailable"] for preset in shown["style"]["presets"]}
    assert unavailable["fast"] == unavailable["draft"] == ""
    assert "only has the distilled model" in unavailable["balanced"]


def test_a_stop_ends_cleanly(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    before, staged = outputs_of(settings), staged_in(settings)
    command = [sys.executable, "-m", "ltx_studio", "generate", "t2v", "--prompt", PROMPT, "--seconds", "20"]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "clip.mp4")],
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "Stage 1" in line:
            process.send_signal(signal.SIGINT)
            break
    stdout, stderr = process.communicate(timeout=60)

    assert process.returncode == 1
    assert stdout == ""
    assert stderr.splitlines()[-1] == "Stopped. Nothing was saved."
    assert "Traceback" not in stderr
    assert outputs_of(settings) == before
    assert staged_in(settings) <= staged
    assert list(tmp_path.iterdir()) == []


def test_a_set_up_that_is_stopped_keeps_what_is_finished_and_says_so(
    home: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("LTX_STUDIO_HOME", str(home.home))
    monkeypatch.setattr(set_up, "prepare", stop)

    assert commands._run(["setup"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "Stopped. Finished work is kept."


def test_a_home_that_cannot_be_written_is_an_error_with_advice(home: Settings) -> None:
    home.home.touch()

    for command in (["setup"], ["generate", "t2v", *SMALL], ["serve"]):
        done = run_studio(home, *command)

        assert done.returncode == 1
        assert "cannot be written" in done.stderr
        assert "LTX_STUDIO_HOME" in done.stderr.splitlines()[-1]


def test_workflow_convert_writes_api_format(definitions: Definitions, settings: Settings, tmp_path: Path) -> None:
    template, out = TEMPLATES / "video_ltx2_3_flf2v.json", tmp_path / "api.json"

    assert run_studio(settings, "workflow", "convert", str(template), "--out", str(out)).returncode == 0
    shown = run_studio(settings, "workflow", "convert", str(template))

    assert json.loads(out.read_text()) == json.loads(shown.stdout)
    assert set(json.loads(shown.stdout)) == set(load_golden_editor()[template.name])


@pytest.mark.parametrize("command", ["convert", "form", "check"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_workflow_is_printed_whatever_the_terminal_can_show(
    command: str, encoding: str, definitions: Definitions, settings: Settings, tmp_path: Path
) -> None:
    noise = {"class_type": "RandomNoise", "inputs": {"noise_seed": 7}, "_meta": {"title": "Würfel 🎲 \x1b]0;x\x07"}}
    image = {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}}
    saver = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}}
    file = tmp_path / "Würfel.json"
    file.write_text(json.dumps({"1": image, "2": saver, "3": noise}))

    done = run_studio(settings, "workflow", command, str(file), PYTHONIOENCODING=encoding)

    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    if command == "convert":
        assert json.loads(done.stdout)["3"] == noise


@pytest.mark.parametrize("command", ["convert", "form", "check"])
def test_a_workflow_with_half_a_character_is_refused_in_words(
    command: str, definitions: Definitions, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "w.json"
    file.write_text('{"1": {"class_type": "SaveImage", "inputs": {"filename_prefix": "\\ud800"}}}')

    done = run_studio(settings, "workflow", command, str(file))

    assert done.returncode == 2
    assert "lone surrogate" in done.stderr
    assert "Traceback" not in done.stderr


def test_workflow_check_takes_the_studios_own_graphs(definitions: Definitions, settings: Settings) -> None:
    done = run_studio(settings, "workflow", "check")

    assert done.returncode == 0
    names = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert len(names) == 6 * (5 * 4 + 2 + 6), "six modes, six sets; the distilled one has two presets"
    assert names[:2] == ["t2v with every file, pocket", "t2v fast with pocket"]
    assert names[-1] == "style draft with split"


def test_workflow_check_names_the_file_the_node_and_the_input(
    definitions: Definitions, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "w.json"
    image = {"class_type": "EmptyImage", "inputs": {"width": 0, "height": 8, "batch_size": 1, "color": 0}}
    file.write_text(json.dumps({"1": image, "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}}))

    done = run_studio(settings, "workflow", "check", str(file))

    assert done.returncode == 2
    assert f"{file}: EmptyImage: width is 0" in done.stderr
    assert "a number from 1 to 16384: in its field, or with `--set 1.width=512`." in done.stderr.splitlines()[-1]


def test_workflow_convert_of_a_newer_workflow_names_the_node(definitions: Definitions, settings: Settings) -> None:
    done = run_studio(settings, "workflow", "convert", str(TEMPLATES / "video_ltx2_5_t2v.json"))

    assert done.returncode == 2
    assert "LTXVDualCFGGuider (from ComfyUI 0.32)" in done.stderr


def test_setup_is_done_once(engine: Engine, settings: Settings) -> None:
    done = run_studio(settings, "setup")

    assert done.returncode == 0
    assert "your own" in done.stdout
    assert "Installing" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["i2v"], "Picture is missing", "--help"),
        (["i2v", "--image", "gone.png"], "There is no file", "Check the path"),
        (["t2v", "--preset", "best"], "no preset 'best'", "balanced"),
        (["t2v", "--camera", "up"], "'up' is not one of", "--help"),
        (
            ["t2v", "--model-set", "distilled-fp8", "--preset", "quality"],
            "only has the distilled model",
            "Fast or Draft",
        ),
        (["t2v", "--lora", "a.safetensors:strong"], "'strong' is not a strength", "--help"),
        (["t2v", "--lora", "gone.safetensors:0.5"], "There is no file", "Check the path"),
    ],
)
def test_a_wrong_choice_is_refused_before_anything_starts(
    arguments: list[str], said: str, hint: str, home: Settings
) -> None:
    done = run_studio(home, "generate", *arguments, "--prompt", "a red ball")

    assert done.returncode == 2
    assert said in done.stderr
    assert hint in done.stderr.splitlines()[-1]
