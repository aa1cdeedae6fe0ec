"""Measure how much disk space takes use, and choose which to prune."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """The number and size of some takes on disk.

    Attributes:
        takes: How many are on disk.
        favourites: How many of these are favourites.
        bytes: The total size of their files.
        missing: How many more have a missing file; they use no space, and pruning never removes them.
    """

    takes: int
    favourites: int
    bytes: int
    missing: int = 0


def sizes(connection: sqlite3.Connection, owner: str) -> list[sqlite3.Row]:
    """Return the rows of an owner's takes with their files' sizes, newest first."""
    return connection.execute(
        "SELECT number, id, file, bytes, favourite FROM takes WHERE owner = ? AND NOT leaving ORDER BY number DESC",
        (owner,),
    ).fetchall()


def room_of(rows: Sequence[sqlite3.Row], *, missing: int = 0) -> Room:
    """Return the disk usage of these takes."""
    return Room(len(rows), sum(row["favourite"] for row in rows), sum(row["bytes"] for row in rows), missing)


def beyond(rows: Sequence[sqlite3.Row], keep: int | None, keep_bytes: int | None) -> Iterator[sqlite3.Row]:
    """Yield the oldest takes, never favourites, beyond a number of takes or a total of bytes."""
    count, size = sum(not row["favourite"] for row in rows), sum(row["bytes"] for row in rows)
    for row in reversed(rows):
        fits = (keep is None or count <= keep) and (keep_bytes is None or size <= keep_bytes)
        if fits:
            return
        if not row["favourite"]:
            count, size = count - 1, size - row["bytes"]
            yield row
