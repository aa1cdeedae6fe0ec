"""A finished clip: its measurements, and a copy of it where the user wants one."""

import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import RequestError
from ltx_studio.fileio import sweep_partials, whole
from ltx_studio.media.open import open_media
from ltx_studio.permissions import as_usual, user_mode


@dataclass(frozen=True, slots=True)
class Take:
    """A measured video file: pixels, frames, frames per second, and seconds of picture."""

    id: str
    path: Path
    width: int
    height: int
    frames: int
    fps: float
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the take for JSON; ``take`` is the id."""
        shown = asdict(self) | {"path": str(self.path)}
        return {"take": shown.pop("id"), **shown}


def measure(path: Path) -> Take:
    """Measure a video file. Frames are counted from its packets, not taken from its header."""
    with open_media(path) as container:
        stream = container.streams.video[0]
        frames = sum(1 for packet in container.demux(stream) if packet.size)
        fps = float(stream.average_rate or 0)
        return Take(path.stem, path, stream.width, stream.height, frames, fps, round(frames / fps, 3) if fps else 0.0)


def check_destination(path: Path) -> Path:
    """Refuse a destination that cannot be written, before anything is rendered; create its folder.

    Raises:
        RequestError: It is a folder, not an .mp4, or its folder cannot be written.
    """
    try:
        path = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100  (resolve() would follow a link)
        if path.is_dir():
            raise RequestError(f"{path} is a folder.", f"Use a file in it, such as {path / 'clip.mp4'}.")
        if path.suffix.lower() != ".mp4":
            raise RequestError(f"{path.name} does not end in .mp4.", f"Use {path.stem or 'clip'}.mp4.")
        with as_usual():
            path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            path.exists()  # raises for a name that is too long
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise RequestError(
            f"{path} cannot be written: {reason}.", "Choose another path.", advice=Advice.to(Do.CHOOSE_OUT)
        ) from None
    return path


def export(take: Path, destination: Path) -> Path:
    """Copy the take to `destination` atomically: the whole copy is there, or whatever was there before.

    Raises:
        OSError: It cannot be written; no partial file is left.
    """
    sweep_partials(destination.parent)
    with whole(destination) as partial:
        shutil.copyfile(take, partial)
        partial.chmod(user_mode())  # the copy gets the permissions of the user's own files
    return destination
