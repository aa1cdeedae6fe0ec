"""The folders of runs in staging: a run writes there, and its whole files wait there until their owner takes them.

A run has a folder ``<host>-<pid>-<run id>-<random>`` and writes into ``saving`` below it. When it is done, its files
are moved up, numbered in their order, and the folder's name gets the ending ``.finished``. That is one rename: a kill
leaves either an unfinished run, or all of its files, whole.

Who removes a folder:

- The engine, when the run ends in any other way than with files.
- Whoever reads `Finished`, as soon as the files are where they belong: `discard`.
- After a kill, `sweep`, when an engine starts. It spares the finished folders of runs that were given an id: whoever
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
"""What the id of a run begins with that was given none: nobody looks for its files after a kill."""

_NAME = re.compile(rf"(?P<host>[^-]+)-(?P<pid>\d+)-(?P<run_id>.+)-\w{{8}}(?P<finished>{re.escape(FINISHED)})?")


class RunFolder:
    """The folder of one run.

    Attributes:
        path: Where it is; another path once the run is finished.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def saving(self) -> Path:
        """Where the run writes."""
        return self.path / SAVING

    def finish(self, files: Sequence[Path]) -> tuple[Path, ...]:
        """Mark the run as done; return its files, whole, where they are now.

        Args:
            files: What the run saved. Anything else that it wrote is removed.

        Raises:
            OSError: A file is not there, or the disk cannot be written. Renaming needs no free space.
        """
        names = [f"{number:04}{file.suffix}" for number, file in enumerate(files, 1)]
        for file, name in zip(files, names, strict=True):
            file.replace(self.path / name)
        shutil.rmtree(self.saving, ignore_errors=True)
        self.path = self.path.rename(self.path.with_name(self.path.name + FINISHED))
        return tuple(self.path / name for name in names)

    def remove(self) -> None:
        """Remove the folder and all in it."""
        shutil.rmtree(self.path, ignore_errors=True)


def create(staging_dir: Path, run_id: str) -> RunFolder:
    """Make the folder of one run; a run of the same id may have left another."""
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
    """Return the id of the finished run that a file is of; None if it is not in the folder of one."""
    name = _NAME.fullmatch(file.parent.name)
    return name["run_id"] if name and name["finished"] else None


def finished(staging_dir: Path, run_id: str) -> tuple[Path, ...]:
    """Return the whole files of a run that is done, in their order; of the newest such run if there are several."""
    folders = [folder for found, folder in _folders(staging_dir, is_finished=True) if found == run_id]
    newest = max(folders, key=_changed, default=None)
    return () if newest is None else _files(newest)


def all_finished(staging_dir: Path) -> dict[str, tuple[Path, ...]]:
    """Return run id → `finished` of all runs that were given an id and whose folder is still there."""
    ids = {run_id for run_id, _ in _folders(staging_dir, is_finished=True) if not run_id.startswith(UNNAMED)}
    return {run_id: files for run_id in sorted(ids) if (files := finished(staging_dir, run_id))}


def discard(file: Path) -> None:
    """Remove the folder of the finished run that a file is of; a file that is elsewhere stays."""
    if run_id_of(file) is not None:
        shutil.rmtree(file.parent, ignore_errors=True)


def discard_run(staging_dir: Path, run_id: str) -> None:
    """Remove every folder of the runs with this id, in whatever state. None of them may be going on."""
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
    """Yield (run id, folder) of runs, of any machine: only the finished ones, or all."""
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
    """Remove previews and the like that are older than a day; ComfyUI's server does it at every start.

    Gradio's copies lie here too, each with the time of what it is a copy of: what a page shows now may have been made
    long ago. So a file is as old as its last change of any kind, of its name or its times too, as Gradio reckons
    itself. Its own `delete_cache` alone would not do: it knows neither the copies in HTML of ours nor what a page that
    was killed has left.
    """
    limit = time.time() - TEMP_SECONDS
    for file in temp_dir.rglob("*"):
        with contextlib.suppress(OSError):  # another process may sweep too
            state = file.stat()
            if file.is_file() and max(state.st_mtime, state.st_ctime) < limit:
                file.unlink()


def _host() -> str:
    return socket.gethostname().replace("-", "_") or "host"
