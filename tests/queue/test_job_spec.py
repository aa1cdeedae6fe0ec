"""What a request says before the run about the room that its files take."""

import os
from pathlib import Path

import pytest

from ltx_studio.queue import JobSpec
from tests.fixtures import Request
from tests.samples import write_film, write_sound
from tests.support import MODEL_SETS

LARGE, SMALL = 24_000_000, 16_000_000


def grown(path: Path, size: int = LARGE) -> Path:
    """Make an MP4 larger, by a box without contents that takes no room on the disk."""
    before = path.stat().st_size
    with path.open("ab") as file:
        file.write((size - before).to_bytes(4) + b"free")
    os.truncate(path, size)
    return path


def copy_notes(spec: JobSpec) -> list[str]:
    return [note for note in spec.notes() if "is copied" in note]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "film.mp4", frames=240)


@pytest.mark.parametrize(
    ("mode", "name", "title"), [("style", "clip", "Clip"), ("i2v", "control_clip", "Control clip")]
)
def test_a_large_clip_of_which_little_is_used_is_said_to_be_kept_whole(
    mode: str, name: str, title: str, small: Request, film: Path
) -> None:
    spec = JobSpec.from_request(mode, small(mode, **{name: grown(film)}), MODEL_SETS["pocket"])

    (note,) = copy_notes(spec)
    assert note.startswith(
        f"{title}: the whole file (24.0 MB) is copied, although only 0.71 of 10.00 s are used. Trim it"
    )
    assert not [note for note in spec.notes(keeps_files=False) if "is copied" in note], "a preview keeps no copy"


def test_a_large_sound_of_which_only_the_end_is_used_is_said_to_be_kept_whole(small: Request, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "speech.wav", 10, rate=8000)
    data = bytearray(sound.read_bytes()[:44])
    data[4:8], data[40:44] = (LARGE + 36).to_bytes(4, "little"), LARGE.to_bytes(4, "little")
    sound.write_bytes(data)
    os.truncate(sound, LARGE + 44)

    spec = JobSpec.from_request("a2v", small("a2v", audio=sound, audio_start=1499.5), MODEL_SETS["pocket"])

    (note,) = copy_notes(spec)
    assert note.startswith("Sound: the whole file (24.0 MB) is copied, although only 0.50 of 1500.00 s are used.")


def test_nothing_is_said_of_a_copy_that_is_small_or_used_or_there_already(small: Request, film: Path) -> None:
    def notes_on(path: Path, seconds: float = 0.7) -> list[str]:
        return copy_notes(
            JobSpec.from_request("style", small("style", clip=path, seconds=seconds), MODEL_SETS["pocket"])
        )

    assert not notes_on(film)
    assert not notes_on(grown(film, SMALL))
    assert not notes_on(grown(film), seconds=2.0)
    assert not notes_on(film.rename(film.with_name(f"{'0f' * 32}.mp4"))), "the studio's own copy is used again"
