"""Clips from the command line: made, made again, compared, and from a workflow of one's own."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import av
import pytest

from ltx_studio.pocket import files as pocket_files
from ltx_studio.queue import LOCAL
from ltx_studio.studio import Studio
from ltx_studio.takes import measure
from tests.cli.conftest import Terminal
from tests.support import outputs_of

pytestmark = pytest.mark.usefixtures("few_steps")

SMALL = ["--prompt", "a red ball", "--width", "128", "--height", "128", "--seconds", "0.7", "--seed", "7"]


@pytest.fixture
def take(terminal: Terminal) -> Path:
    return Path(terminal.json("generate", "t2v", *SMALL)["path"])


def test_generate_makes_the_clip_that_was_asked_for(terminal: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "new" / "clip.mp4"

    said = terminal.json("generate", "t2v", *SMALL, "--fps", "25", "--out", str(out))

    assert terminal.err == ""
    assert set(said) == {"job", "take", "path", "seed", "width", "height", "frames", "fps", "seconds", "notes"}
    assert (said["path"], said["seed"], said["width"], said["height"], said["fps"]) == (str(out), 7, 128, 128, 25)
    assert len(outputs_of(terminal.settings)) == 1, "the take itself stays in the studio"
    with av.open(out) as container:
        streams = [(stream.type, stream.codec_context.name) for stream in container.streams]
        frames = sum(1 for _ in container.decode(video=0))
    assert sorted(streams) == [("audio", "aac"), ("video", "h264")]
    assert frames == said["frames"] == 17


def test_people_get_stages_and_what_is_done_to_their_files_on_stderr_and_the_path_on_stdout(
    terminal: Terminal, samples: Mapping[str, Path]
) -> None:
    lora = terminal.settings.models_dir / pocket_files.POSE_LORA
    files = ["--image", str(samples["image"]), "--audio", str(samples["sound"]), "--lora", f"{lora}:0.5"]
    size = ["--seconds", "1.4", "--width", "256", "--height", "128"]
    prompts = ["--prompt", "she sings", "--negative-prompt", "blurry"]

    printed = terminal("generate", "lipsync", *prompts, *files, *size, "--seed", "3", "--preset", "draft")

    assert measure(Path(printed.strip())).width == 128
    assert "says nothing about LTX-2.3" in terminal.err.splitlines()[0]
    assert re.search(r"\[(\d)/\1\] Save", terminal.err)
    assert "128×64 (half of 256×128)" in terminal.err
    assert "8 model passes" in terminal.err
    assert "The sound ends after 0.90 s" in terminal.err
    assert "Negative prompt has no effect in Draft" in terminal.err
    assert "of it is cut off at the top and bottom" in terminal.err


def test_a_take_is_shown_verified_and_made_again(terminal: Terminal, take: Path) -> None:
    assert terminal.json("recipe", str(take))["params"]["seed"] == 7
    assert "preset fast" in terminal("recipe", str(take))

    verdict = terminal.json("recipe", "verify", str(take))
    assert verdict["identical"]
    assert verdict["sampler_steps"] == 4, "two in each stage"
    assert verdict["frames"] == verdict["rendered_frames"] == 17
    assert len(Studio(terminal.settings).takes.page(LOCAL).takes) == 1, "what was rendered to compare is not kept"

    lines = terminal("generate", "--from", str(take), "--seed", "8", "--takes", "2", "--json").splitlines()
    assert [json.loads(line)["seed"] for line in lines] == [8, 9]
    same = Path(terminal("generate", "--from", str(take)).strip())
    assert terminal.json("recipe", str(same)) == terminal.json("recipe", str(take))


def test_a_take_that_was_changed_is_not_the_one_of_its_recipe(terminal: Terminal, take: Path, tmp_path: Path) -> None:
    other = Path(terminal.json("generate", "--from", str(take), "--seed", "8")["path"])
    forged = tmp_path / "forged.mp4"
    with (
        av.open(take) as said,
        av.open(other) as shown,
        av.open(forged, "w", format="mp4", options={"movflags": "use_metadata_tags"}) as made,
    ):
        made.metadata.update(said.metadata)
        streams = {stream.index: made.add_stream_from_template(stream) for stream in shown.streams}
        for packet in shown.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)

    told = terminal("recipe", "verify", str(forged), rc=1)

    assert "17 of 17 frames differ" in told
    assert "the file itself was changed" in told


def test_the_graph_of_a_take_runs_as_a_workflow(terminal: Terminal, take: Path, tmp_path: Path) -> None:
    exact = tmp_path / "exact.json"
    terminal("recipe", str(take), "--workflow", str(exact))

    made = terminal.json("workflow", "run", str(exact), "--set", "Prompt=a blue ball", "--set", "15.noise_seed=9")

    assert (made["frames"], made["seed"]) == (17, 9)
    assert Path(made["path"]).name.startswith("workflow-")


def test_the_history_is_searched_tagged_and_pruned(terminal: Terminal, take: Path) -> None:
    other = Path(terminal.json("generate", "--from", str(take), "--seed", "8", "--prompt", "night")["path"])
    newest, oldest = terminal.json("takes", "list")
    assert [newest["path"], oldest["path"]] == [str(other), str(take)]
    assert (newest["seed"], newest["prompt"]) == (8, "night")

    terminal("takes", "tag", oldest["take"], "first try")
    terminal("takes", "favourite", oldest["take"])

    assert [each["take"] for each in terminal.json("takes", "list", "FIRST", "ball")] == [oldest["take"]]
    assert "* " in terminal("takes", "list", "--favourites")
    assert terminal.json("takes", "prune", "--keep", "0")["removed"] == [newest["take"]]
    assert take.exists()
    assert not other.exists()
    terminal("takes", "favourite", oldest["take"], "--no")
    terminal("takes", "delete", oldest["take"])
    assert terminal.json("takes", "list") == []
    assert terminal.json("doctor")[-1]["good"]
    terminal("takes", "prune", rc=2)


def test_the_doctor_finds_the_clips_of_a_database_that_was_moved_away(terminal: Terminal, take: Path) -> None:
    for file in terminal.settings.home.glob("studio.db*"):
        file.unlink()

    assert not terminal.json("doctor", rc=1)[-1]["good"]
    terminal("doctor", "--repair")

    assert [each["path"] for each in terminal.json("takes", "list")] == [str(take)]
