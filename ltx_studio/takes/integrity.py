"""Check that the database and the studio's folders agree, and repair what can be repaired."""

import contextlib
import logging
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ltx_studio.advice import Advice, Do
from ltx_studio.engine import run_folders
from ltx_studio.errors import RequestError, SetupError
from ltx_studio.queue.database import Database
from ltx_studio.queue.jobs import COLUMNS, Job, job_of
from ltx_studio.queue.queue import LOCAL
from ltx_studio.queue.specs import read_spec
from ltx_studio.queue.states import Cancelled, Done, Failed
from ltx_studio.settings import Settings
from ltx_studio.takes import recipes, unused_inputs
from ltx_studio.takes.history import History, erase
from ltx_studio.takes.records import NewTake
from ltx_studio.takes.take_store import TakeStore, clip_of, write_poster
from ltx_studio.takes.unused_inputs import is_old
from ltx_studio.workflow_files.read import VIDEOS

log = logging.getLogger(__name__)

_TAKE = re.compile(r"(?P<mode>[a-z0-9]+)-(?P<id>[0-9a-f]{12})(-\d+)?\.\w+")
"""The name of a take's file, or of another file that its run saved."""


@dataclass(frozen=True, slots=True)
class IntegrityReport:
    """Attributes: ids of takes, and paths."""

    missing: tuple[str, ...]
    """Takes whose file is missing. They stay in the history: the disk with their files may only be unmounted."""
    strays: tuple[Path, ...]
    """Takes in the output folder that have a recipe but are not in the history; and finished clips in staging whose job
    failed after they were made."""
    unknown: tuple[Path, ...]
    """Other files in the output folder, and clips in staging that belong to no job; they are left alone."""
    posterless: tuple[str, ...]
    unused: tuple[Path, ...]
    """Posters, kept files and staging folders that nothing needs."""

    @property
    def found(self) -> bool:
        """Whether there is something to repair."""
        return any((self.strays, self.posterless, self.unused))


class IntegrityCheck:
    """The check of one studio's database and folders."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.database_file)
        self._take_store = TakeStore(settings)

    def look(self) -> IntegrityReport:
        """Compare the database with the files and change nothing.

        Raises:
            DatabaseDamagedError: The database is damaged.
            SetupError: The output folder is not a folder.
        """
        self._database.check(thorough=True)
        with self._database.read() as connection:
            takes = {row["id"]: row["file"] for row in connection.execute("SELECT id, file FROM takes")}
            missing = tuple(row["id"] for row in self._missing(connection))
            working = {
                row["id"] for row in connection.execute("SELECT id FROM jobs WHERE state IN ('queued', 'running')")
            }
            kept = tuple(unused_inputs.unneeded(connection, self._settings.kept_dir))
            staged = self._staged(connection)
        outputs = self._settings.outputs_dir
        if outputs.exists() and not outputs.is_dir():
            raise SetupError(f"{outputs} is not a folder.", "Move it away: the studio needs this path for its clips.")
        strays, unknown = self._strays(set(takes) | working)
        posterless = tuple(
            take
            for take, file in takes.items()
            if (outputs / file).is_file()
            and Path(file).suffix in VIDEOS
            and not self._take_store.poster(take).is_file()
        )
        unused = (*self._unused_posters(set(takes) | working), *kept, *staged.unused)
        return IntegrityReport(missing, (*strays, *staged.strays), (*unknown, *staged.unknown), posterless, unused)

    def mend(self, seen: IntegrityReport) -> None:
        """Add strays to the history, make posters and remove unused files. Takes whose file is missing are kept."""
        History(self._database, self._settings.outputs_dir, self._settings.posters_dir).remove_leaving()
        for path in sorted(seen.strays, key=_changed):  # the newest take has the highest number
            with _logged(f"{path} could not be added to the history"):
                self._adopt(path)
        for take in seen.posterless:
            with _logged(f"the take {take} has no poster"):
                self._make_poster(take)
        for path in seen.unused:
            if path.parent == self._settings.posters_dir and is_old(path):
                path.unlink(missing_ok=True)
            elif path.is_relative_to(self._settings.staging_dir):
                run_folders.discard(path)
        unused_inputs.free(self._database, self._settings.kept_dir)

    def forget_missing(self, count: int) -> None:
        """Permanently remove the takes whose file is missing from the history.

        Args:
            count: The expected number of missing files; on a mismatch nothing is removed.

        Raises:
            RequestError: More or fewer takes are missing.
            DatabaseDamagedError: The database is damaged, so it cannot say which files are missing.
        """
        self._database.check(thorough=True)
        with self._database.write() as connection:
            rows = self._missing(connection)
            if len(rows) != count:
                now = "1 clip has" if len(rows) == 1 else f"{len(rows)} clips have"
                raise RequestError(
                    f"{now} a missing file, not {count}. Nothing was removed.",
                    "To remove them for good, give their exact number." if rows else "There is nothing to remove.",
                    advice=Advice.to(Do.FORGET_MISSING, count=str(len(rows))) if rows else None,
                )
            for row in rows:
                erase(connection, row["number"])
        for row in rows:
            with contextlib.suppress(OSError):
                self._take_store.poster(row["id"]).unlink(missing_ok=True)

    def _missing(self, connection: sqlite3.Connection) -> list[sqlite3.Row]:
        """Return the takes of the history whose file is missing."""
        rows = connection.execute("SELECT number, id, file FROM takes WHERE NOT leaving").fetchall()
        return [row for row in rows if not (self._settings.outputs_dir / row["file"]).is_file()]

    def _staged(self, connection: sqlite3.Connection) -> "_Staged":
        """Return the finished runs in staging that no running or waiting job will take."""
        found = _Staged([], [], [])
        for run_id, files in run_folders.all_finished(self._settings.staging_dir).items():
            job = _job(connection, run_id)
            if job is None or job.damaged:
                found.unknown.extend(files)
            elif isinstance(job.state, Failed) and not job.verifies:
                found.strays.append(files[0])
            elif isinstance(job.state, Failed | Cancelled | Done):
                found.unused.append(files[0])
        return found

    def _adopt(self, path: Path) -> None:
        """Add a clip to the history, with a poster."""
        if path.is_relative_to(self._settings.staging_dir):
            self._keep(path)
        else:
            self._add(self._take_at(path))

    def _keep(self, path: Path) -> None:
        """Make a take of a clip in staging, unless its job has been retried meanwhile."""
        with self._database.read() as connection:
            job = _job(connection, run_folders.run_id_of(path) or "")
        if job is not None and isinstance(job.state, Failed):
            take = self._take_store.recovered(job, read_spec(job.spec, self._settings))
            if take is not None:
                self._add(take)

    def _take_at(self, path: Path) -> NewTake:
        """Return the take of a clip in the output folder, from its recipe."""
        recipe, name = recipes.read(path), _TAKE.fullmatch(path.name)
        assert name is not None
        return NewTake(
            name["id"], name["id"], LOCAL, recipe.mode, path.stat().st_mtime,
            path.relative_to(self._settings.outputs_dir).as_posix(), path.stat().st_size,
            str(recipe.params.get("prompt", "")), recipe.model_dump(mode="json"),
            {"seconds": 0.0, "stages": [], "peak_memory": 0, **clip_of(path)},
        )  # fmt: skip

    def _add(self, take: NewTake) -> None:
        """Insert a take's row, make its poster, and mark its job as done."""
        with self._database.write() as connection, contextlib.suppress(sqlite3.IntegrityError):
            job = connection.execute("SELECT owner, state FROM jobs WHERE id = ?", (take.id,)).fetchone()
            if job is not None and job["state"] in ("queued", "running"):
                return  # the job will make its own take
            if job is not None:
                take = replace(take, owner=job["owner"])
                connection.execute(
                    "UPDATE jobs SET state = 'done', error = NULL, started = coalesce(started, created) WHERE id = ?",
                    (take.id,),
                )
            connection.execute("INSERT OR IGNORE INTO owners (id) VALUES (?)", (take.owner,))
            take.insert(connection)
        write_poster(self._settings.outputs_dir / take.file, self._take_store.poster(take.id))

    def _make_poster(self, take_id: str) -> None:
        with self._database.read() as connection:
            row = connection.execute("SELECT file FROM takes WHERE id = ?", (take_id,)).fetchone()
        if row is not None:
            write_poster(self._settings.outputs_dir / row["file"], self._take_store.poster(take_id))

    def _strays(self, known: set[str]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """Return the takes with a recipe, and the other files, that the history does not know."""
        strays: list[Path] = []
        unknown: list[Path] = []
        for path in sorted(self._settings.outputs_dir.glob("*/*")):
            name = _TAKE.fullmatch(path.name)
            if not path.is_file() or (name and name["id"] in known) or path.name.endswith(".part"):
                continue
            (strays if name and _has_recipe(path) else unknown).append(path)
        return tuple(strays), tuple(unknown)

    def _unused_posters(self, known: set[str]) -> Iterator[Path]:
        for path in sorted(self._settings.posters_dir.glob("*.jpg")):
            if path.stem not in known and is_old(path):
                yield path


@dataclass(frozen=True, slots=True)
class _Staged:
    """The contents of staging, named as in `IntegrityReport`; for a run with several files, one of them."""

    strays: list[Path]
    unknown: list[Path]
    unused: list[Path]


def _job(connection: sqlite3.Connection, job_id: str) -> Job | None:
    row = connection.execute(f"SELECT {COLUMNS} WHERE jobs.id = ?", (job_id,)).fetchone()
    return None if row is None else job_of(row, {})


def _has_recipe(path: Path) -> bool:
    if path.suffix != ".mp4":
        return False
    try:
        recipes.read(path)
    except (RequestError, ValueError):  # a tag that is not text
        return False
    return True


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    """Log any error and go on with the next file, except when the database cannot be used."""
    try:
        yield
    except sqlite3.Error:
        raise
    except Exception:
        log.exception("%s", what)


def _changed(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0
