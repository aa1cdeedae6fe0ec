"""Ask the pocket model for what it promises, and write down how often it does it.

    make obey

Writes docs/obedience.json with what each line reached, the table in the model card, and docs/obedience/*.webp with some
clips of every kind. To try something with --cases, name another file by --out.
"""

import argparse
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from lab.contact_sheet import write_sheet
from lab.obey.asker import SHOWN, Answer, Asker
from lab.obey.table import CASES, FAMILIES, digest_of, put, write_card
from lab.obey.trials import Family
from ltx_studio.settings import get_settings

ROOT = Path(__file__).resolve().parent.parent.parent
OUT = ROOT / "docs" / "obedience.json"
CARD = ROOT / "ltx_studio" / "pocket" / "MODEL_CARD.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=CASES, help="of each family")
    parser.add_argument("--only", help="families whose name contains this; the others' lines stay as they are")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--processes", type=int, default=2, help="of one thread each (default: 2)")
    given = parser.parse_args()
    families = [family for name, family in FAMILIES.items() if given.only is None or given.only in name]
    if not families:
        parser.error(f"no family's name contains {given.only!r}")
    out = given.out.resolve()
    if out == OUT and given.cases != CASES:
        parser.error(f"what is published is of {CASES} cases; name another file by --out")
    models, spawn, missed = get_settings().models_dir, multiprocessing.get_context("spawn"), 0
    weights = {family.name: digest_of(family, models) for family in families}
    with ProcessPoolExecutor(given.processes, spawn, Asker.begin, (given.processes,)) as pool:
        asked = [(family, _submit(pool, family, given.cases)) for family in families]
        try:
            for family, answers in asked:
                found = [answer.result() for answer in answers]
                answers.clear()  # they contain pictures
                _check_unchanged(family, models, weights[family.name])
                missed += _tell(family, found, out, weights[family.name])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # report the error now, not after an hour of other cases
            raise
    print(f"{missed} lines are missed." if missed else "Every line is met.")


def _check_unchanged(family: Family, models: Path, weights: str) -> None:
    if digest_of(family, models) != weights:
        raise SystemExit(f"The files that {family.name} was asked of have changed meanwhile: ask again.")


def _submit(pool: ProcessPoolExecutor, family: Family, cases: int) -> list[Future[Answer]]:
    count = max(1, round(cases * family.share))
    return [pool.submit(Asker.ask, family.name, number, count) for number in range(count)]


def _tell(family: Family, answers: Sequence[Answer], out: Path, weights: str) -> int:
    """Print and write a family's lines and its sheet; return the number of missed lines."""
    rows = family.table([found for found, _ in answers])
    for name, row in rows.items():
        line = f"{family.name:16} {name:40} {row['reached']:7.3f} of {row['at_least']:6.2f} in {row['cases']}"
        print(line + ("" if row["met"] else "  MISSED"), flush=True)
    table = put(out, family, rows, weights)
    if out == OUT:
        write_card(CARD, table)
    clips = [frames for _, each in answers for frames in each]
    write_sheet(clips[:SHOWN], out.with_suffix("") / f"{family.name.replace(': ', '-')}.webp")
    return sum(not row["met"] for row in rows.values())


if __name__ == "__main__":
    main()
