"""The folders of runs in staging: a run writes there, and its finished files stay there until their owner takes them.

A run has a folder ``<host>-<pid>-<run id>-<random>`` and writes into ``saving`` below it. When it is done, its files
are moved up, numbered in order, and the folder's name gets the suffix ``.finished``. That is one rename: a kill
leaves either an unfinished run, or all of its files, complete.

Who removes a folder:

- The engine, when the run ends in any way other than with files.
- The reader of `Finished`, as soon as the files are in their final place: `discard`.
- After a kill, `sweep`, when an engine starts. It keeps the finished folders of runs with a given id: whoever
  gave it finds the files by `finished` and removes the folder by `discard_run`.
"""

import contextlib
import os
import re
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

TEMP_SECONDS = 24 * 3600

SAVING = "saving"
FINISHED = ".finished"
UNNAMED = "unnamed-"
"""The prefix of the ids of runs that were given none: nobody looks for their files after a kill."""

_NAME = re.compile(rf"(?P<host>[^-]+)-(?P<pid>\d+)-(?P<run_id>.+)-\w{{8}}(?P<finished>{re.escape(FINISHED)})?")


class RunFolder:
    """The folder of one run.

    Attributes:
        path: The current path, which changes when the run is finished.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def saving(self) -> Path:
        """The folder that the run writes to."""
        return self.path / SAVING

    def finish(self, files: Sequence[Path]) -> tuple[Path, ...]:
        """Mark the run as done, and return its files, complete, at their new paths.

        Args:
            files: The files that the run saved. Any other file that it wrote is removed.

        Raises:
            OSError: A file is missing, or the disk cannot be written. Renaming needs no free space.
        """
        names = [f"{number:04}{file.suffix}" for number, file in enumerate(files, 1)]
        for file, name in zip(files, names, strict=True):
            file.replace(self.path / name)
        shutil.rmtree(self.saving, ignore_errors=True)
        self.path = self.path.rename(self.path.with_name(self.path.name + FINISHED))
        return tuple(self.path / name for name in names)

    def remove(self) -> None:
        """Remove the folder and its contents."""
        shutil.rmtree(self.path, ignore_errors=True)


def create(staging_dir: Path, run_id: str) -> RunFolder:
    """Create the folder of one run; a run with the same id may have left another."""
    staging_dir.mkdir(parents=True, exist_ok=True)
    folder = RunFolder(Path(tempfile.mkdtemp(prefix=f"{_host()}-{os.getpid()}-{run_id}-", dir=staging_dir)))
    try:
        folder.saving.mkdir()
    except OSError:
        folder.remove()
        raise
    return folder


def new_run_id() -> str:
    """Return an id for a run that was given none."""
    return UNNAMED + uuid.uuid4().hex[:12]


def run_id_of(file: Path) -> str | None:
    """Return the id of the finished run whose folder contains a file; None if no such folder does."""
    name = _NAME.fullmatch(file.parent.name)
    return name["run_id"] if name and name["finished"] else None


def finished(staging_dir: Path, run_id: str) -> tuple[Path, ...]:
    """Return the files of a finished run in order; of the newest such run if there are several."""
    folders = [folder for found, folder in _folders(staging_dir, is_finished=True) if found == run_id]
    newest = max(folders, key=_changed, default=None)
    return () if newest is None else _files(newest)


def all_finished(staging_dir: Path) -> dict[str, tuple[Path, ...]]:
    """Return run id → `finished` for all runs that were given an id and whose folder still exists."""
    ids = {run_id for run_id, _ in _folders(staging_dir, is_finished=True) if not run_id.startswith(UNNAMED)}
    return {run_id: files for run_id in sorted(ids) if (files := finished(staging_dir, run_id))}


def discard(file: Path) -> None:
    """Remove the folder of the finished run that contains a file; a file elsewhere stays."""
    if run_id_of(file) is not None:
        shutil.rmtree(file.parent, ignore_errors=True)


def discard_run(staging_dir: Path, run_id: str) -> None:
    """Remove every folder of the runs with this id, in any state. None of these runs may be in progress."""
    for found, folder in _folders(staging_dir):
        if found == run_id:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(staging_dir: Path) -> None:
    """Remove what killed processes of this machine left, except finished runs that somebody may look for."""
    for folder in staging_dir.glob(f"{_host()}-*-*"):
        pid, _, rest = folder.name.removeprefix(f"{_host()}-").partition("-")
        is_needed = rest.endswith(FINISHED) and not rest.startswith(UNNAMED)
        if pid.isdigit() and not psutil.pid_exists(int(pid)) and not is_needed:
            shutil.rmtree(folder, ignore_errors=True)


def _folders(staging_dir: Path, *, is_finished: bool = False) -> Iterator[tuple[str, Path]]:
    """Yield (run id, folder) of runs of any machine: only the finished ones, or all."""
    with contextlib.suppress(OSError):
        for folder in sorted(staging_dir.iterdir()):
            name = _NAME.fullmatch(folder.name)
            if name and (name["finished"] or not is_finished):
                yield name["run_id"], folder


def _files(folder: Path) -> tuple[Path, ...]:
    with contextlib.suppress(OSError):
        return tuple(sorted(path for path in folder.iterdir() if path.is_file()))
    return ()


def _changed(folder: Path) -> float:
    with contextlib.suppress(OSError):
        return folder.stat().st_mtime
    return 0.0


def sweep_temp(temp_dir: Path) -> None:
    """Remove previews and other temporary files older than a day, as ComfyUI's server does at every start.

    Gradio's copies are here too, each with the modification time of its original, so a file that a page shows now may
    look old. So a file is as old as its last change of any kind, including that of its name or times, as in Gradio's
    own reckoning. Gradio's `delete_cache` alone is not enough: it knows neither the copies in our HTML nor what a page
    that was killed has left.
    """
    limit = time.time() - TEMP_SECONDS
    for file in temp_dir.rglob("*"):
        with contextlib.suppress(OSError):  # another process may sweep too
            state = file.stat()
            if file.is_file() and max(state.st_mtime, state.st_ctime) < limit:
                file.unlink()


def _host() -> str:
    return socket.gethostname().replace("-", "_") or "host"
