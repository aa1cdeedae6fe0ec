"""Files between the studio and workers that do not share its home: as blocks of bytes, in order."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ltx_studio.engine import run_folders
from ltx_studio.errors import ExecutionError, Remedy
from ltx_studio.events import Finished, Output, from_dict
from ltx_studio.media.input_store import sha256

BLOCK_BYTES = 8 << 20
"""The size of a block. A worker holds a few at once."""

BLOCK = "Block"
"""The type of the dictionaries in a run's stream that carry a result; all others are events."""


def blocks_of(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Yield the blocks of a file, at least one, and whether it is the last.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        block = file.read(BLOCK_BYTES)
        while True:
            following = file.read(BLOCK_BYTES)
            yield block, not following
            if not following:
                return
            block = following


def results_of(event: Finished) -> Iterator[dict[str, Any]]:
    """Yield the files of a finished run as dictionaries for its stream.

    Raises:
        OSError: A file cannot be read.
    """
    for output in event.outputs:
        for block, _ in blocks_of(output.path):
            yield {"type": BLOCK, "name": output.path.name, "data": block}


class ReceivedResults:
    """Puts the results of a run into the studio's own staging, as if the run had been here.

    Args:
        staging_dir: The studio's staging.
        run_id: The id of the run.
    """

    def __init__(self, staging_dir: Path, run_id: str) -> None:
        self._staging, self._run_id = staging_dir, run_id
        self._folder: run_folders.RunFolder | None = None
        self._files: dict[str, Path] = {}

    def take(self, plain: Mapping[str, Any]) -> None:
        """Write a block.

        Raises:
            OSError: It cannot be written.
        """
        if self._folder is None:
            self._folder = run_folders.create(self._staging, self._run_id)
        name = Path(plain["name"]).name
        path = self._files.setdefault(name, self._folder.saving / name)
        with path.open("ab") as file:
            file.write(plain["data"])

    def finish(self, plain: Mapping[str, Any]) -> Finished:
        """Return the event of the finished run, with the paths of the files here.

        Raises:
            ExecutionError: A file did not arrive.
            OSError: They cannot be moved to their place.
        """
        finished = from_dict(plain)
        assert isinstance(finished, Finished)
        if not finished.outputs:
            return finished
        names = [output.path.name for output in finished.outputs]
        if self._folder is None or any(name not in self._files for name in names):
            raise ExecutionError("The worker did not send all files of the run.", "Retry the job.")
        paths = self._folder.finish([self._files[name] for name in names])
        made = zip(paths, finished.outputs, strict=True)
        return Finished(tuple(Output(path, output.node) for path, output in made), finished.seconds)

    def discard(self) -> None:
        """Remove what has arrived."""
        if self._folder is not None:
            self._folder.remove()
            self._folder = None


class ReceivedInputs:
    """The files of requests on a worker that does not share the studio's home, each named by its contents.

    They are in the folder for temporary files. What was not needed for a day is removed when files are asked for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return which of these files are not here; those that are count as needed again."""
        missing = []
        for name in names:
            try:
                os.utime(self.folder / Path(name).name)
            except OSError:
                missing.append(name)
        run_folders.sweep_temp(self.folder)
        return missing

    def take(self, name: str, block: bytes, number: int, *, is_last: bool) -> None:
        """Add a block to a file: number 0 begins it, the last one completes it.

        Raises:
            ExecutionError: It cannot be written, or its contents do not match its name.
        """
        path = self.folder / Path(name).name
        partial = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with partial.open("ab" if number else "wb") as file:
                file.write(block)
            if not is_last:
                return
            if sha256(partial) != path.stem:
                partial.unlink()
                raise ExecutionError("An input file was damaged on its way to the worker.", "Retry the job.")
            partial.replace(path)
        except OSError as error:
            raise ExecutionError(
                f"An input could not be written on the worker: {error.strerror or error}.",
                "Free some space on the worker's disk, and retry the job.",
                where=str(path),
                remedies=[Remedy.RETRY],
            ) from None
