"""Preparing a user's file for a graph: a copy named by its contents, in the folder that ComfyUI reads.

ComfyUI's loaders read a whole file into memory, accept sounds with more than two channels but fail on them, and ignore
frame rates. So pictures are made upright, and the needed part of a sound or clip is cut out.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from ltx_studio import sandbox
from ltx_studio.errors import ExecutionError, Remedy, RequestError, StudioError
from ltx_studio.fileio import FULL, sweep_partials, whole
from ltx_studio.media.clip_frames import Check
from ltx_studio.media.input_requests import ClipFile, InputRequest, LoraFile, PictureFile, SoundFile, WholeFile
from ltx_studio.media.open import is_heif, locate, why_unread
from ltx_studio.media.picture import write_picture
from ltx_studio.media.trim import RATE, cut_clip, cut_sound

PREFIX = "studio-"
OWN = "own"
"""Folder of the users' LoRAs among the others."""

KEEP_SECONDS = 7 * 24 * 3600
_VERSION = 7
"""Increase it with every change to the output, so that older files are not reused."""

_DISK = FULL | {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.EIO}


class InputPreparer:
    """A preparer of the files that modes request. Equal requests give the same file, which is made once."""

    def __init__(self, inputs_dir: Path, loras_dir: Path, check: Check = lambda: None) -> None:
        """`check` is called repeatedly; if it raises, work stops and no file is left."""
        self._inputs_dir = inputs_dir
        self._loras_dir = loras_dir
        self._check = check

    def __call__(self, want: InputRequest) -> str:
        """Prepare a file; return the name under which the loader node finds it.

        Raises:
            RequestError: The file is missing, damaged, or ends before the requested part.
            ExecutionError: The copy cannot be stored.
        """
        want = replace(want, path=locate(want.path))
        name = f"{PREFIX}{_digest(want)}"
        write: Callable[[Path], None]
        match want:
            case PictureFile():
                file, write = self._picture(want.path, name)
            case SoundFile():
                file = self._inputs_dir / f"{name}.wav"
                write = self._cutter(_write_sound, want, file)
            case ClipFile():
                file = self._inputs_dir / f"{name}.mov"
                write = self._cutter(_write_clip, want, file)
            case WholeFile() if is_heif(want.path):  # which no node of ComfyUI reads
                file, write = self._picture(want.path, name)
            case WholeFile():
                file, write = self._inputs_dir / f"{name}{want.path.suffix.lower()}", partial(_copy, want)
            case LoraFile():
                file, write = self._loras_dir / OWN / f"{name}.safetensors", partial(_link, want)
        self._make(want.path, file, write)
        return f"{OWN}/{file.name}" if isinstance(want, LoraFile) else file.name

    def _picture(self, source: Path, name: str) -> tuple[Path, Callable[[Path], None]]:
        """Return the file for a picture, and what writes it, outside a server, whose memory it would fill."""
        file = self._inputs_dir / f"{name}.png"
        return file, lambda unfinished: sandbox.read(_write_picture, source, unfinished, file)

    def _cutter(self, cut: Callable[..., None], want: SoundFile | ClipFile, file: Path) -> Callable[[Path], None]:
        """Return the function that writes part of a sound or clip, outside a server, which its decoder could crash."""
        return lambda unfinished: sandbox.work(cut, want.path, want, unfinished, file, check=self._check)

    def _make(self, source: Path, path: Path, write: Callable[[Path], None]) -> None:
        with _errors_named(source, path):
            if path.exists():
                os.utime(path, follow_symlinks=False)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole(path) as unfinished:
                write(unfinished)


def _write_picture(source: Path, unfinished: Path, path: Path) -> None:
    with _errors_named(source, path):
        write_picture(source, unfinished)


@contextlib.contextmanager
def _errors_named(source: Path, path: Path) -> Iterator[None]:
    """Convert errors of decoders and of the disk into the studio's own, which name the cause."""
    import av
    from PIL import Image

    try:
        yield
    except (OSError, av.error.FFmpegError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _told(error, source, path) from None


def sweep(inputs_dir: Path, loras_dir: Path) -> None:
    """Remove old prepared files, which are made again when needed, and leftovers of killed processes."""
    limit = time.time() - KEEP_SECONDS
    sweep_partials(inputs_dir, loras_dir / OWN)
    for folder in (inputs_dir, loras_dir / OWN):
        for file in folder.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):  # another process may be sweeping too
                if file.lstat().st_mtime < limit:
                    file.unlink()


def _told(error: Exception, source: Path, path: Path) -> StudioError:
    """Return the error that names what is at fault: the user's file or our disk."""
    reason = why_unread(error)
    code = getattr(error, "errno", None)
    if code in _DISK:
        advice = "Free some space, then try again." if code in FULL else f"Check the folder {path.parent}."
        remedies = [Remedy.MAKE_ROOM] if code in FULL else []
        return ExecutionError(
            f"{source.name} could not be prepared: {reason}.", advice, where=str(path), remedies=remedies
        )
    return RequestError(f"{source.name} cannot be read completely: {reason}.", "Convert it again, or use another file.")


def _digest(want: InputRequest) -> str:
    """Return a digest of a request and the file's contents; for a LoRA, which may have gigabytes, of its state."""
    digest = hashlib.sha256(f"{_VERSION} {want!r}".replace(repr(want.path), "").encode())
    try:
        if isinstance(want, LoraFile):
            state = want.path.stat()
            digest.update(f"{want.path} {state.st_size} {state.st_mtime_ns}".encode())
            return digest.hexdigest()[:20]
        with want.path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise RequestError(f"{want.path} cannot be read: {error.strerror}.", "Check the path.") from None
    return digest.hexdigest()[:20]


def _copy(want: WholeFile, path: Path) -> None:
    shutil.copyfile(want.path, path)


def _link(want: LoraFile, path: Path) -> None:
    path.symlink_to(want.path)


def _write_clip(source: Path, want: ClipFile, unfinished: Path, path: Path, check: Check) -> None:
    with _errors_named(source, path):
        cut_clip(want, check, unfinished)


def _write_sound(source: Path, want: SoundFile, unfinished: Path, path: Path, check: Check) -> None:
    with _errors_named(source, path):
        samples = cut_sound(source, want.start, want.seconds, check)
    if not len(samples) and not want.start:
        raise RequestError(f"{want.path.name} has no sound that can be decoded.", "Use another file.")
    if not len(samples):
        raise RequestError(f"{want.path.name} ends before {want.start:g} s.", "Use an earlier start.")
    with _errors_named(source, path), unfinished.open("wb") as file, wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
