"""A take as it is recorded, and as its row in the database."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ltx_studio.queue.stored_json import FIGURES, measured_of, request_of, tags_of

GOING, ASIDE = 1, 2
"""Values of ``leaving`` for takes that no list shows: being deleted, or made only for a comparison. A larger value is
when the take was deleted, in seconds since the epoch: until its file goes, that can be undone."""


@dataclass(frozen=True, slots=True)
class NewTake:
    """A take as it is recorded when it is made.

    Attributes:
        id: Short and unique; part of the file's name.
        job: The job that made it.
        owner: The owner's id.
        mode: The mode's id.
        created: Creation time, in seconds since the epoch.
        file: Path relative to the output folder, with slashes.
        bytes: Size of the file.
        prompt: The prompt of the request.
        recipe: How it was made.
        measured: Measurements of the run and the clip.
        aside: Whether it is only for a comparison: no list shows it, and it is removed afterwards.
    """

    id: str
    job: str
    owner: str
    mode: str
    created: float
    file: str
    bytes: int
    prompt: str
    recipe: Mapping[str, Any]
    measured: Mapping[str, Any]
    aside: bool = field(default=False, kw_only=True)

    def insert(self, connection: sqlite3.Connection) -> None:
        """Insert its row in the open transaction."""
        number = connection.execute(
            "INSERT INTO takes (id, job, owner, mode, created, file, bytes, prompt, recipe, measured, leaving)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self.id, self.job, self.owner, self.mode, self.created, self.file, self.bytes, self.prompt,
                json.dumps(self.recipe), json.dumps(self.measured), ASIDE if self.aside else 0,
            ),
        ).lastrowid  # fmt: skip
        connection.execute("INSERT INTO takes_words (rowid, words) VALUES (?, ?)", (number, self.prompt))


@dataclass(frozen=True, slots=True)
class TakeRecord(NewTake):
    """A take in the history.

    Attributes:
        number: Later takes have higher ones.
        favourite: Whether pruning never removes it.
        tags: The owner's tags.
        batch: The batch that its job belongs to; None for a job that was submitted alone.
    """

    number: int
    favourite: bool
    tags: tuple[str, ...]
    batch: str | None = field(default=None, kw_only=True)

    @property
    def note(self) -> str:
        """What could not be written with the clip when it was kept, as a sentence; usually empty."""
        return str(self.measured.get("note", ""))

    @property
    def clip(self) -> dict[str, float]:
        """``width`` and ``height`` in pixels, ``frames``, ``fps`` and ``seconds`` of a video; else empty."""
        found = {name: self.measured[name] for name in FIGURES if name in self.measured}
        return found | ({"seconds": round(found["frames"] / found["fps"], 3)} if found.get("fps") else {})

    @property
    def seed(self) -> int | None:
        """The seed of the request; None if it has none."""
        seed = self.recipe["params"].get("seed")
        return seed if isinstance(seed, int) else None

    def as_dict(self) -> dict[str, Any]:
        """Return the take for JSON, without the recipe."""
        return {
            "take": self.id,
            "job": self.job,
            "mode": self.mode,
            "created": self.created,
            "file": self.file,
            "bytes": self.bytes,
            "prompt": self.prompt,
            "seed": self.seed,
            "favourite": self.favourite,
            "tags": list(self.tags),
            "measured": dict(self.measured),
        }


def record_of(row: sqlite3.Row) -> TakeRecord:
    """Return the take of a row, with the batch of its job."""
    return TakeRecord(
        row["id"], row["job"], row["owner"], row["mode"], row["created"], row["file"], row["bytes"], row["prompt"],
        request_of(row["recipe"]) or {"params": {}}, measured_of(row["measured"]),
        aside=row["leaving"] == ASIDE, number=row["number"], favourite=bool(row["favourite"]),
        tags=tags_of(row["tags"]), batch=row["batch"],
    )  # fmt: skip
