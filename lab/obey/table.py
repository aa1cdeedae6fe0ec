"""The results, family by family: docs/obedience.json, and the model card's table made from it."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.obey.modes import MODES
from lab.obey.trials import Family, Line
from lab.obey.ways import WAYS
from ltx_studio.pocket import files

FAMILIES: Mapping[str, Family] = {family.name: family for family in (*MODES, *WAYS)}
CASES = 100
"""Cases per family for a published table; families with a smaller share have that part of it."""
BEGIN, END = "<!-- Below: written by make obey. -->", "<!-- Above: written by make obey. -->"

Table = dict[str, dict[str, Any]]
"""By family name: `weights`, a digest of the files used, and `lines`."""


def read(path: Path) -> Table:
    """Return the table at `path`; empty if there is none."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def put(path: Path, family: Family, rows: Mapping[str, Any], weights: str) -> Table:
    """Write the results of a family, keeping the others; return the new table.

    Args:
        path: The table's file.
        family: The family.
        rows: Its lines.
        weights: Digest of the model files used.
    """
    table = read(path) | {family.name: {"weights": weights, "lines": dict(rows)}}
    table = {name: table[name] for name in FAMILIES if name in table}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    return table


def digest_of(family: Family, models: Path) -> str:
    """Return one sha256 of all files of the pocket model in `models` that a family's graphs load."""
    digest = hashlib.sha256()
    for name in files.MODELS:
        if not name.startswith("loras/") or name in family.loras:
            digest.update((models / name).read_bytes())
    return digest.hexdigest()


def write_card(card: Path, table: Table) -> None:
    """Write the table between the card's two marks.

    Raises:
        ValueError: The card lacks them.
    """
    head, begin, rest = card.read_text(encoding="utf-8").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{card} lacks the marks between which the table goes")
    card.write_text("\n".join((head + BEGIN, "", *_rows(table), "", END + tail)), encoding="utf-8")


def _rows(table: Table) -> Iterator[str]:
    yield from ("| asked | of it | reached | wanted | cases |", "|---|---|---|---|---|")
    for name, found in table.items():
        for line in FAMILIES[name].lines:
            if line.name not in found["lines"]:  # new, filled with the next run of its family
                continue
            row = found["lines"][line.name]
            reached, wanted = (_said(line, row[key], row) for key in ("reached", "at_least"))
            shown = reached if row["met"] else f"**{reached}**"
            shown += f" ({row['share']:.0%})" if line.median else ""
            yield f"| {name} | {line.name} | {shown} | {wanted} | {row['cases']} |"


def _said(line: Line, value: float, row: Mapping[str, Any]) -> str:
    if not line.median:
        return f"{value:.0%}"
    return f"{value:.1f}" if row["at_least"] >= 10 else f"{value:.2f}"


def missing(table: Table, models: Path) -> Sequence[str]:
    """Return families without results, or with results for other files, lower claims or too few cases."""
    return [name for name, family in FAMILIES.items() if not _is_of(table.get(name, {}), family, models)]


def _is_of(found: Mapping[str, Any], family: Family, models: Path) -> bool:
    if not found or found["weights"] != digest_of(family, models):
        return False
    seldom = max(row["cases"] for row in found["lines"].values()) < round(CASES * family.share)
    asked = {line.name: line.at_least for line in family.lines if not isinstance(line.at_least, str)}
    told = {name: row["at_least"] for name, row in found["lines"].items()}
    return not seldom and told.keys() == {line.name for line in family.lines} and asked.items() <= told.items()
