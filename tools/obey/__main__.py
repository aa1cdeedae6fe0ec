"""Ask the pocket model for what it promises, and write down how often it does it.

    make obey

Writes docs/obedience.json with what each line reached, and docs/obedience/*.webp with some clips of every kind.
With --only or --cases, to try something, name another file by --out.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from ltx_studio.logs import log_to_file
from ltx_studio.pocket import files
from ltx_studio.pocket.sheet import write_sheet
from ltx_studio.settings import Settings, get_settings
from tools.obey.modes import MODES
from tools.obey.studio import Studio
from tools.obey.ways import WAYS

OUT = Path(__file__).resolve().parent.parent.parent / "docs" / "obedience.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100, help="of each family")
    parser.add_argument("--only", help="families whose name contains this; the others' lines stay as they are")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    settings = get_settings()
    log_to_file(settings)
    families = [family for family in (*MODES, *WAYS) if given.only is None or given.only in family.name]
    if not families:
        parser.error(f"no family's name contains {given.only!r}")
    studio, met = Studio(settings), True
    try:
        for family in families:
            cases = max(1, round(given.cases * family.share))
            with tempfile.TemporaryDirectory() as scratch:
                found = list(family.run(studio.render, cases, Path(scratch)))
            rows = family.table(found)
            for name, row in rows.items():
                line = f"{family.name:16} {name:40} {row['reached']:7.3f} of {row['at_least']:6.2f} in {row['cases']}"
                print(line + ("" if row["met"] else "  MISSED"), flush=True)
                met &= row["met"]
            _put(given.out, family.name, rows, settings)
            clips = [clip.frames for clip in studio.take_clips()]
            write_sheet(clips, given.out.with_suffix("") / f"{family.name.replace(': ', '-')}.webp")
    finally:
        studio.close()
    sys.exit(not met)


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
