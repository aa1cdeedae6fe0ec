"""Where runs write, so that a file appears among the outputs only when it is whole.

Each run has a folder ``<host>-<pid>-<run id>``. A run removes its own; what a killed process left is swept up at
the next start.
"""

import contextlib
import errno
import os
import shutil
import socket
import time
from datetime import datetime
from pathlib import Path

import psutil

from ltx_studio.fileio import whole

TEMP_SECONDS = 24 * 3600


def create(staging_dir: Path, run_id: str) -> Path:
    """Make the folder of one run."""
    folder = staging_dir / f"{_host()}-{os.getpid()}-{run_id}"
    folder.mkdir(parents=True)
    return folder


def publish(file: Path, outputs_dir: Path, name: str) -> Path:
    """Move a whole `file` to the outputs, into a folder for the day, under a name of its own."""
    folder = outputs_dir / datetime.now().astimezone().strftime("%Y-%m-%d")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}{file.suffix}"
    try:
        return file.replace(path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    with whole(path) as partial:  # the outputs are on another disk
        shutil.copyfile(file, partial)
    return path


def sweep(staging_dir: Path) -> None:
    """Remove the folders of processes of this machine that are gone."""
    for folder in staging_dir.glob(f"{_host()}-*-*"):
        pid = folder.name.removeprefix(f"{_host()}-").partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


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
