"""`ltx-studio settings`, without an engine."""

import stat
from pathlib import Path

import pytest

from ltx_studio.settings import Settings, get_settings
from tests.cli.conftest import Terminal


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Commands in a home where nothing is."""
    monkeypatch.setenv("LTX_STUDIO_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    return Terminal(Settings(home=tmp_path / "home"), capsys)


def now() -> Settings:
    """Return the settings as the next process reads them."""
    get_settings.cache_clear()
    return get_settings()


def test_what_is_set_is_used_listed_and_unset_again(shell: Terminal) -> None:
    path = shell.settings.settings_file
    assert shell("settings", "path") == f"{path}\n"
    assert not path.exists(), "looking writes nothing"

    assert shell("settings", "set", "vram", "LOW") == ""
    assert f"Set vram to low in {path}" in shell.err
    assert "Restart a running studio" in shell.err
    assert now().vram == "low"
    assert shell("settings", "get", "vram") == "low\n"
    assert shell.json("settings", "get", "vram") == {
        "key": "vram", "value": "low", "source": "file", "variable": "LTX_STUDIO_VRAM",
    }  # fmt: skip

    shell("settings", "unset", "vram")
    assert f"Removed vram from {path}" in shell.err
    assert now().vram == "auto"
    shell("settings", "unset", "vram")
    assert "not set" in shell.err


def test_every_key_can_be_set_to_what_is_read_back(shell: Terminal, tmp_path: Path) -> None:
    given = {
        "model_set": "fp8",
        "preset": "quality",
        "vram": "cpu",
        "model_dirs": f"{tmp_path / 'a'}:{tmp_path / 'b'}",
        "comfy_dir": str(tmp_path / "ComfyUI"),
        "output_limit_gb": "0.5",
        "keep_alive_minutes": "10",
        "language": "en",
        "allowed_hosts": "a.example,b.example",
        "trusted_proxies": "10.0.0.0/8",
    }

    for key, value in given.items():
        shell("settings", "set", key, value)

    assert {key: shell("settings", "get", key).rstrip() for key in given} == given
    listed = shell.json("settings")
    assert {each["key"]: each["source"] for each in listed} == dict.fromkeys(given, "file")
    assert next(each["value"] for each in listed if each["key"] == "allowed_hosts") == ["a.example", "b.example"]
    assert stat.S_IMODE(shell.settings.settings_file.stat().st_mode) == 0o600


def test_the_list_says_where_each_value_comes_from(shell: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    shell("settings", "set", "preset", "draft")
    monkeypatch.setenv("LTX_STUDIO_VRAM", "high")

    lines = {line.split()[0]: line.split()[1:] for line in shell("settings").splitlines()}

    assert lines["preset"] == ["draft", "file"]
    assert lines["vram"] == ["high", "environment", "LTX_STUDIO_VRAM"]
    assert lines["model_set"] == ["automatic", "default"]
    assert shell("settings", "list") == shell("settings")


def test_it_says_when_the_environment_hides_what_was_set(shell: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LTX_STUDIO_VRAM", "high")

    shell("settings", "set", "vram", "low")

    assert "LTX_STUDIO_VRAM is high in the environment, which overrides the file" in shell.err
    assert now().vram == "high"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("vram", "huge", "low"),
        ("model_set", "huge", "pocket"),
        ("model_set", "", "settings unset model_set"),
        ("preset", "best", "quality"),
        ("output_limit_gb", "much", "gigabytes"),
        ("keep_alive_minutes", "inf", "always"),
        ("language", "de", "en"),
        ("allowed_hosts", "https://a.example", "without https"),
        ("presett", "fast", "preset?"),
        ("password", "secret", "LTX_STUDIO_PASSWORD"),
        ("home", "/x", "LTX_STUDIO_HOME"),
    ],
)
def test_a_wrong_key_or_value_changes_nothing(shell: Terminal, key: str, value: str, said: str) -> None:
    shell("settings", "set", "preset", "draft")
    before = shell.settings.settings_file.read_bytes()

    shell("settings", "set", key, value, rc=2)

    assert said in shell.err.splitlines()[-1]
    assert shell.settings.settings_file.read_bytes() == before


def test_comments_of_the_user_survive(shell: Terminal) -> None:
    path = shell.settings.settings_file
    path.parent.mkdir()
    path.write_text('# mine\nvram = "low"  # 8 GB\npreset = "draft"\n')

    shell("settings", "set", "vram", "none")
    shell("settings", "unset", "preset")

    assert path.read_text() == '# mine\nvram = "none"  # 8 GB\n'


def test_a_broken_file_is_mended_by_the_command_that_it_is_about(shell: Terminal) -> None:
    path = shell.settings.settings_file
    path.parent.mkdir()
    path.write_text('vram = "huge"\n')

    shell("settings", rc=1)
    assert f"vram in {path} is 'huge'" in shell.err
    shell("settings", "set", "preset", "draft", rc=1)
    assert path.read_text() == 'vram = "huge"\n'
    shell("settings", "set", "vram", "low")
    assert now().vram == "low"

    path.write_text("vrm = 1\n")
    shell("settings", "unset", "vrm")
    assert path.read_text() == ""

    path.write_text("vram\n")
    shell("settings", "set", "vram", "low", rc=1)
    assert "line 1" in shell.err


def test_options_win_over_the_settings(shell: Terminal, tmp_path: Path) -> None:
    shell("settings", "set", "preset", "draft")
    shell("settings", "set", "model_set", "fp8")
    asked = ["generate", "t2v", "--prompt", "a boat", "--detach"]

    usual, other = (shell(*asked, *options).strip() for options in ([], ["--preset", "fast", "--model-set", "pocket"]))

    specs = [shell.json("jobs", "show", job)["spec"] for job in (usual, other)]
    assert [(spec["preset"], spec["model_set"]) for spec in specs] == [("draft", "fp8"), ("fast", "pocket")]
    requests = tmp_path / "requests.txt"
    requests.write_text("a boat\n")
    (job,) = shell.json("jobs", "add", str(requests), "--mode", "t2v")["jobs"]
    assert shell.json("jobs", "show", job)["spec"]["preset"] == "draft"


def test_the_output_limit_is_what_prune_leaves_and_doctor_warns_about(shell: Terminal) -> None:
    shell("takes", "prune", rc=2)
    assert "settings set output_limit_gb" in shell.err
    clip = shell.settings.outputs_dir / "2026-01-01" / "clip.mp4"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(bytes(2_000_000))

    shell("settings", "set", "output_limit_gb", "1")
    get_settings.cache_clear()
    assert {each["name"]: each["good"] for each in shell.json("doctor", rc=1)}["Output limit"] is True
    shell("settings", "set", "output_limit_gb", "0.001")
    get_settings.cache_clear()
    found = {each["name"]: each for each in shell.json("doctor", rc=1)}["Output limit"]
    assert not found["good"]
    assert found["found"] == "clips use 2.0 MB of 1.0 MB"
    assert "takes prune" in found["hint"]
    assert shell.json("takes", "prune") == {"removed": []}
    assert clip.exists(), "only takes of the history are removed, and only when asked for"
