"""Ask the pocket model for what it promises, and write down how often it does it.

    make obey

Writes docs/obedience.json with what each line reached, and docs/obedience/*.webp with some clips of every kind.
With --only or --cases, to try something, name another file by --out.
"""

import argparse
import hashlib
import json
import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from ltx_studio.pocket import files
from ltx_studio.pocket.sheet import write_sheet
from ltx_studio.settings import Settings, get_settings
from tools.obey.asker import FAMILIES, SHOWN, Answer, Asker
from tools.obey.trials import Family

OUT = Path(__file__).resolve().parent.parent.parent / "docs" / "obedience.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100, help="of each family")
    parser.add_argument("--only", help="families whose name contains this; the others' lines stay as they are")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--processes", type=int, default=2, help="of one thread each (default: 2)")
    given = parser.parse_args()
    families = [family for name, family in FAMILIES.items() if given.only is None or given.only in name]
    if not families:
        parser.error(f"no family's name contains {given.only!r}")
    settings, spawn, met = get_settings(), multiprocessing.get_context("spawn"), True
    with ProcessPoolExecutor(given.processes, spawn, Asker.begin, (given.processes,)) as pool:
        asked = [(family, _submit(pool, family, given.cases)) for family in families]
        try:
            for family, answers in asked:
                met &= _tell(family, [answer.result() for answer in answers], given.out, settings)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # say now what went wrong, not after an hour of other cases
            raise
    sys.exit(not met)


def _submit(pool: ProcessPoolExecutor, family: Family, cases: int) -> list[Future[Answer]]:
    count = max(1, round(cases * family.share))
    return [pool.submit(Asker.ask, family.name, number, count) for number in range(count)]


def _tell(family: Family, answers: Sequence[Answer], out: Path, settings: Settings) -> bool:
    """Print and write a family's lines and its sheet; whether all are met."""
    rows = family.table([found for found, _ in answers])
    for name, row in rows.items():
        line = f"{family.name:16} {name:40} {row['reached']:7.3f} of {row['at_least']:6.2f} in {row['cases']}"
        print(line + ("" if row["met"] else "  MISSED"), flush=True)
    _put(out, family.name, rows, settings)
    clips = [frames for _, each in answers for frames in each]
    write_sheet(clips[:SHOWN], out.with_suffix("") / f"{family.name.replace(': ', '-')}.webp")
    return all(row["met"] for row in rows.values())


def _put(path: Path, name: str, rows: dict[str, Any], settings: Settings) -> None:
    """Add a family to the table, or begin a new one where the old is of other weights."""
    weights = weights_digest(settings.models_dir)
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if table.get("weights") != weights:
        table = {"weights": weights, "families": {}}
    table["families"][name] = rows
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


def weights_digest(folder: Path) -> str:
    """One sha256 of all files of the pocket model."""
    digest = hashlib.sha256()
    for name in files.ALL:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
