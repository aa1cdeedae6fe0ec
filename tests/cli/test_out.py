"""What a command writes is never a file that it reads."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from ltx_studio.media.input_store import sha256
from tests.cli.conftest import Terminal
from tests.media.test_edges import write_still
from tests.samples import draw_samples, write_film
from tests.support import outputs_of

pytestmark = pytest.mark.usefixtures("few_steps")

SMALL = ["--prompt", "a red ball", "--width", "128", "--height", "128", "--seconds", "0.4", "--preset", "draft"]


def refused(terminal: Terminal, mine: Path, *arguments: str) -> None:
    before = sha256(mine)

    terminal(*arguments, rc=2)

    assert "which is an input of this request" in terminal.err
    assert "Choose another file for --" in terminal.err
    assert sha256(mine) == before
    assert not outputs_of(terminal.settings), "nothing was rendered"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return write_film(tmp_path / "mine.mp4", sound=True)


@pytest.mark.parametrize("way", ["same", "relative", "symbolic", "through a link", "hard", "folder", "copy"])
def test_a_clip_is_not_overwritten(way: str, terminal: Terminal, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, out = mine, mine.with_name("other.mp4")
    match way:
        case "same":
            out = mine
        case "relative":
            monkeypatch.chdir(mine.parent)
            out = Path("home") / ".." / "mine.mp4"
        case "symbolic":
            out.symlink_to(mine)
        case "through a link":
            clip, out = out, mine
            clip.symlink_to(mine)
        case "hard":
            os.link(mine, out)
        case "folder":
            (mine.parent / "linked").symlink_to(mine.parent)
            out = mine.parent / "linked" / "mine.mp4"
        case "copy":
            shutil.copyfile(mine, out)

    refused(terminal, mine, "generate", "style", *SMALL, "--clip", str(clip), "--out", str(out))


@pytest.mark.parametrize("mode", ["a2v", "i2v", "lipsync", "keyframe"])
def test_no_mode_overwrites_what_it_was_given(mode: str, terminal: Terminal, mine: Path, tmp_path: Path) -> None:
    samples = draw_samples(tmp_path / "samples")
    given = {
        "a2v": ["--audio", str(mine)],
        "i2v": ["--image", str(samples["image"]), "--control-clip", str(mine)],
        "lipsync": ["--image", str(samples["image"]), "--audio", str(mine)],
        "keyframe": ["--first-image", str(samples["image"]), "--last-image", str(samples["last"]),
                     "--control-clip", str(mine)],
    }  # fmt: skip

    refused(terminal, mine, "generate", mode, *SMALL, *given[mode], "--out", str(mine))


def test_a_take_and_its_workflow_are_not_overwritten_from_themselves(terminal: Terminal, tmp_path: Path) -> None:
    take = tmp_path / "take.mp4"
    terminal("generate", "t2v", *SMALL, "--out", str(take))
    before = sha256(take)

    for arguments in (
        ["generate", "--from", str(take), "--out", str(take)],
        ["workflow", "run", str(take), "--out", str(take)],
        ["recipe", str(take), "--workflow", str(take)],
    ):
        terminal(*arguments, rc=2)
        assert "Choose another file for --" in terminal.err
        assert sha256(take) == before


def test_the_clip_that_a_take_was_made_of_is_not_overwritten(terminal: Terminal, mine: Path, tmp_path: Path) -> None:
    take, before = tmp_path / "take.mp4", sha256(mine)
    terminal("generate", "style", *SMALL, "--clip", str(mine), "--out", str(take))

    terminal("generate", "--from", str(take), "--out", str(mine), rc=2)

    assert "--out would overwrite" in terminal.err
    assert sha256(mine) == before


def test_another_clip_is_written_over_as_before(terminal: Terminal, mine: Path, tmp_path: Path) -> None:
    other = write_film(tmp_path / "other.mp4", frames=12)
    before = sha256(other)

    terminal("generate", "style", *SMALL, "--clip", str(mine), "--out", str(other))

    assert sha256(other) != before


def test_a_control_map_is_drawn_and_nothing_is_rendered(terminal: Terminal, mine: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "map.png"

    said = terminal("generate", "style", *SMALL, "--clip", str(mine), "--preview-control", str(out))

    assert said.strip() == str(out)
    with Image.open(out) as image:
        assert (image.format, image.size) == ("PNG", (3 * 64, 2 * 64)), "a draft has half the size"
    assert not outputs_of(terminal.settings)


def test_what_a_flat_clip_does_not_do_is_said_with_its_map(terminal: Terminal, tmp_path: Path) -> None:
    flat = write_still(tmp_path / "flat.mp4", Image.new("RGB", (128, 128), (80, 80, 80)))
    arguments = ["generate", "style", *SMALL, "--clip", str(flat)]

    terminal(*arguments, "--preview-control", str(tmp_path / "map.png"))
    assert "Canny finds no edges in the clip" in terminal.err
    notes = terminal.json(*arguments)["notes"]
    assert any("Choose the control ready" in note for note in notes)


def test_a_control_map_is_not_written_over_a_picture_that_is_given(terminal: Terminal, tmp_path: Path) -> None:
    samples = draw_samples(tmp_path / "samples")
    given = ["--image", str(samples["image"]), "--control-clip", str(samples["rolling"])]

    refused(terminal, samples["image"], "generate", "i2v", *SMALL, *given, "--preview-control", str(samples["image"]))


def test_a_control_map_needs_a_clip_and_a_png(terminal: Terminal, mine: Path, tmp_path: Path) -> None:
    image = str(draw_samples(tmp_path / "samples")["image"])
    arguments = ["generate", "i2v", *SMALL, "--image", image]

    terminal(*arguments, "--preview-control", "a.png", rc=2)
    assert "--preview-control needs a control clip" in terminal.err
    terminal(*arguments, "--control-clip", str(mine), "--preview-control", "a.jpg", rc=2)
    assert "does not end in .png" in terminal.err
    terminal("generate", "t2v", *SMALL, "--preview-control", "a.png", rc=2)
    assert "No such option" in terminal.err


def test_a_workflow_is_not_overwritten_by_what_it_is_converted_to(terminal: Terminal, tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_text('{"1": {"class_type": "EmptyImage", "inputs": {}}}')

    refused(terminal, mine, "workflow", "convert", str(mine), "--out", str(mine))
