"""The history: every take with its recipe, its measurements, and its owner's tags."""

import json
import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from glob import escape
from pathlib import Path
from typing import Any

from ltx_studio import limits
from ltx_studio.advice import Advice, Do
from ltx_studio.errors import RequestError
from ltx_studio.queue.database import Database
from ltx_studio.queue.stored_json import measured_of, request_of
from ltx_studio.takes.disk_usage import Room, beyond, room_of, sizes
from ltx_studio.takes.records import ASIDE, GOING, NewTake, TakeRecord, record_of

log = logging.getLogger(__name__)

PAGE = 50
_AT_ONCE = 100
"""Takes that `prune` removes before it marks the next ones: on a full disk each lot frees the space for the next."""
_COLUMNS = "takes.*, (SELECT batch FROM jobs WHERE jobs.id = takes.job) AS batch"
UNDO_SECONDS = 30
"""How long the file of a take that was deleted with `delete_soon` stays."""
ASIDE_SECONDS = 3600
"""The age in seconds at which a take set aside counts as left over: the process that compared it was killed."""
MOST_TAGS, LONGEST_TAG = 20, 50
SHORTEST = 3
"""The shortest word that the word index knows; a shorter search scans each prompt."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some takes, newest first.

    Attributes:
        takes: At most as many as were requested.
        before: The value to request the next page with; None for the last page.
    """

    takes: tuple[TakeRecord, ...]
    before: int | None


def poster_path(folder: Path, take_id: str) -> Path:
    """Return the path of a take's poster in the poster folder."""
    return folder / f"{take_id}.jpg"


def erase(connection: sqlite3.Connection, number: int) -> None:
    """Delete a take's row in the open transaction, and note that its job is no longer needed."""
    connection.execute(
        "UPDATE jobs SET unused_since = ? WHERE id = (SELECT job FROM takes WHERE number = ?)", (time.time(), number)
    )
    for statement in ("DELETE FROM takes_words WHERE rowid = ?", "DELETE FROM takes WHERE number = ?"):
        connection.execute(statement, (number,))


class History:
    """The history in one database, with its output and poster folders. Each owner sees only its own takes."""

    def __init__(self, database: Database, outputs_dir: Path, posters_dir: Path) -> None:
        self._database = database
        self._outputs_dir, self._posters_dir = outputs_dir, posters_dir

    def path(self, take: NewTake) -> Path:
        """Return the path of a take's video file."""
        return self._outputs_dir / take.file

    def is_missing(self, take: NewTake) -> bool:
        """Return whether its file is missing, as when its disk is not mounted; checked on each call."""
        return not self.path(take).is_file()

    def poster(self, take_id: str) -> Path:
        """Return the path of its poster, a frame from the middle; takes with only sound have none."""
        return poster_path(self._posters_dir, take_id)

    def get(self, take_id: str, owner: str) -> TakeRecord:
        """Return one of the owner's takes, including one that is set aside.

        Raises:
            RequestError: The owner has no such take.
        """
        with self._database.read() as connection:
            return record_of(_row(connection, take_id, owner))

    def has_used(self, owner: str, digest: str) -> bool:
        """Return whether one of the owner's takes was made from a file with this sha256."""
        with self._database.read() as connection:
            found = connection.execute(
                "SELECT 1 FROM takes,"
                " json_each(CASE WHEN json_valid(takes.recipe) THEN takes.recipe ELSE '{}' END, '$.inputs') AS input"
                " WHERE owner = ? AND leaving <> ? AND instr(recipe, ?) AND input.value = ? LIMIT 1",
                (owner, GOING, digest, digest),
            )
            return found.fetchone() is not None

    def page(
        self,
        owner: str,
        *,
        search: str = "",
        mode: str | None = None,
        favourites: bool = False,
        before: int | None = None,
        limit: int = PAGE,
    ) -> Page:
        """Return the owner's newest matching takes.

        Args:
            owner: The owner's id.
            search: Words that the prompt or the tags must contain, ignoring case; every one of them.
            mode: Only takes of this mode.
            favourites: Only favourites.
            before: `Page.before` of the previous page.
            limit: The most takes to return.
        """
        words = search.replace("\0", " ").split()
        limits.SEARCH_WORDS.check(len(words), "The search")
        indexed = [word for word in words if len(word) >= SHORTEST]
        source, where = "takes", ["takes.owner = ?", "NOT takes.leaving"]
        values: list[str | int] = [owner]
        if indexed:  # its rows also come newest first, so a page needs no full scan
            source = "takes_words CROSS JOIN takes ON takes.number = takes_words.rowid"
            where.append("takes_words MATCH ?")
            values.append(" AND ".join(f'"{word.replace(chr(34), chr(34) * 2)}"' for word in indexed))
        for word in words:
            if len(word) < SHORTEST:
                where.append("(instr(lower(takes.prompt), ?) OR instr(lower(takes.tags), ?))")
                values += [word.lower()] * 2
        if mode is not None:
            where.append("takes.mode = ?")
            values.append(mode)
        if favourites:
            where.append("takes.favourite")
        number = "takes_words.rowid" if indexed else "takes.number"
        if before is not None:
            where.append(f"{number} < ?")
            values.append(before)
        query = f"SELECT {_COLUMNS} FROM {source} WHERE {' AND '.join(where)} ORDER BY {number} DESC LIMIT ?"
        with self._database.read() as connection:
            rows = connection.execute(query, (*values, limit + 1)).fetchall()
        takes = tuple(record_of(row) for row in rows[:limit])
        return Page(takes, takes[-1].number if len(rows) > limit else None)

    def newest(self) -> int:
        """Return the number of the newest take of all owners; 0 if there is none."""
        with self._database.read() as connection:
            return int(connection.execute("SELECT coalesce(max(number), 0) FROM takes").fetchone()[0])

    def measured(self, model_set: str, limit: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Return the request and measurements of the newest takes with a model set, of all owners, for estimates."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT json_remove(recipe, '$.graph') AS recipe, measured FROM takes WHERE"
                " CASE WHEN json_valid(recipe) THEN json_extract(recipe, '$.model_set') END = ?"
                " ORDER BY number DESC LIMIT ?",
                (model_set, limit),
            ).fetchall()
        return [(request_of(row["recipe"]) or {"params": {}}, measured_of(row["measured"])) for row in rows]

    def favour(self, take_id: str, owner: str, *, favourite: bool) -> None:
        """Set whether a take is a favourite.

        Raises:
            RequestError: The owner has no such take.
        """
        with self._database.write() as connection:
            number = _row(connection, take_id, owner)["number"]
            connection.execute("UPDATE takes SET favourite = ? WHERE number = ?", (favourite, number))

    def tag(self, take_id: str, owner: str, tags: Sequence[str]) -> None:
        """Replace a take's tags.

        Raises:
            RequestError: The owner has no such take, or the tags are too many or too long.
        """
        cleaned = list(dict.fromkeys(tag for each in tags if (tag := " ".join(each.split()))))
        if len(cleaned) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in cleaned):
            raise RequestError(
                f"A clip has at most {MOST_TAGS} tags of {LONGEST_TAG} characters.", "Use fewer or shorter tags."
            )
        with self._database.write() as connection:
            row = _row(connection, take_id, owner)
            connection.execute(
                "UPDATE takes SET tags = ? WHERE number = ?", (json.dumps(cleaned, ensure_ascii=False), row["number"])
            )
            connection.execute(
                "UPDATE takes_words SET words = ? WHERE rowid = ?",
                ("\n".join((row["prompt"], *cleaned)), row["number"]),
            )

    def delete(self, take_id: str, owner: str) -> None:
        """Remove a take and its file.

        Raises:
            RequestError: The owner has no such take.
        """
        self._mark(take_id, owner, GOING)
        self.remove_leaving()

    def delete_soon(self, take_id: str, owner: str) -> None:
        """Take a take out of the history. `remove_leaving` removes it once `UNDO_SECONDS` are over.

        Raises:
            RequestError: The owner has no such take.
        """
        self._mark(take_id, owner, int(time.time()))

    def _mark(self, take_id: str, owner: str, leaving: int) -> None:
        def mark(connection: sqlite3.Connection) -> None:
            row = _row(connection, take_id, owner)
            connection.execute("UPDATE takes SET leaving = ? WHERE number = ?", (leaving, row["number"]))

        self._database.note_deletion(mark)

    def delete_unmarked_soon(self, take_ids: Sequence[str], owner: str) -> list[str]:
        """Take those of the owner's takes out of the history that are no favourites; return their ids."""
        return self._mark_unmarked(take_ids, owner, int(time.time()))

    def _mark_unmarked(self, take_ids: Sequence[str], owner: str, leaving: int) -> list[str]:
        def mark(connection: sqlite3.Connection) -> list[str]:
            return [
                take_id
                for take_id in take_ids
                if connection.execute(
                    "UPDATE takes SET leaving = ? WHERE id = ? AND owner = ? AND favourite = 0 AND leaving = 0",
                    (leaving, take_id, owner),
                ).rowcount
            ]

        return self._database.note_deletion(mark)

    def undelete(self, take_id: str, owner: str) -> None:
        """Put a take back that `delete_soon` took out.

        Raises:
            RequestError: The owner has no such take, or its file is gone.
        """
        with self._database.write() as connection:
            until = max(ASIDE, time.time() - UNDO_SECONDS)  # what leaves earlier, `remove_leaving` may be removing now
            connection.execute(
                "UPDATE takes SET leaving = 0 WHERE id = ? AND owner = ? AND leaving > ?", (take_id, owner, until)
            )
            is_here = connection.execute(
                "SELECT 1 FROM takes WHERE id = ? AND owner = ? AND leaving = 0", (take_id, owner)
            ).fetchone()
        if is_here is None:
            raise RequestError("This clip was deleted permanently.", "Make it again with the same seed.")

    def room(self, owner: str) -> Room:
        """Return the disk usage of all of the owner's takes."""
        with self._database.read() as connection:
            rows = sizes(connection, owner)
        here = self._here(rows)
        return room_of(here, missing=len(rows) - len(here))

    def prunable(self, owner: str, *, keep: int | None = None, keep_bytes: int | None = None) -> Room:
        """Return the disk usage of the takes that `prune` would remove now.

        Raises:
            RequestError: A limit is negative.
        """
        with self._database.read() as connection:
            return room_of(self._prunable(connection, owner, keep, keep_bytes))

    def prune(self, owner: str, *, keep: int | None = None, keep_bytes: int | None = None) -> list[str]:
        """Remove the owner's oldest takes, never a favourite, and return their ids.

        A take whose file is missing is neither counted nor removed: it takes no space, and its disk may come back.

        Args:
            owner: The owner's id.
            keep: How many takes to keep besides the favourites.
            keep_bytes: The most bytes to keep in all, favourites included.

        Raises:
            RequestError: A limit is negative.
        """
        with self._database.read() as connection:
            ids = [row["id"] for row in self._prunable(connection, owner, keep, keep_bytes)]
        gone = list[str]()
        for start in range(0, len(ids), _AT_ONCE):
            gone += self._mark_unmarked(ids[start : start + _AT_ONCE], owner, GOING)
            self.remove_leaving()
        return gone

    def _prunable(
        self, connection: sqlite3.Connection, owner: str, keep: int | None, keep_bytes: int | None
    ) -> list[sqlite3.Row]:
        if min(keep or 0, keep_bytes or 0) < 0:
            raise RequestError("The number to keep is negative.", "Use 0 or more.")
        return list(beyond(self._here(sizes(connection, owner)), keep, keep_bytes))

    def _here(self, rows: Sequence[sqlite3.Row]) -> list[sqlite3.Row]:
        """Return the rows whose file exists."""
        return [row for row in rows if (self._outputs_dir / row["file"]).is_file()]

    def remove_leaving(self) -> None:
        """Remove the files of takes marked for deletion, then their rows. A later call finishes an interrupted one.

        Takes that can still be put back stay.
        """
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT takes.number, takes.id, takes.file FROM takes LEFT JOIN jobs ON jobs.id = takes.job"
                " WHERE takes.leaving = ?1 OR takes.leaving = ?2 AND coalesce(jobs.ended, 0) < ?3"
                " OR takes.leaving > ?2 AND takes.leaving <= ?4",
                (GOING, ASIDE, time.time() - ASIDE_SECONDS, time.time() - UNDO_SECONDS),
            ).fetchall()
        for row in rows:
            file = self._outputs_dir / row["file"]
            try:
                for path in file.parent.glob(f"{escape(file.stem)}*"):  # its run's other files are beside it
                    path.unlink(missing_ok=True)
                self.poster(row["id"]).unlink(missing_ok=True)
            except OSError:
                log.exception("%s could not be deleted yet", file)
                continue
            self._database.note_deletion(partial(erase, number=row["number"]))
        if rows:
            self._database.keep_reserve()


def _row(connection: sqlite3.Connection, take_id: str, owner: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        f"SELECT {_COLUMNS} FROM takes WHERE id = ? AND owner = ? AND leaving IN (0, ?)", (take_id, owner, ASIDE)
    ).fetchone()
    if row is None:
        raise RequestError(
            f"There is no clip {take_id}.", "Choose a clip in the history.", advice=Advice.to(Do.LIST_TAKES)
        )
    return row
