"""Kill, fill, unmount, lock and damage a studio in homes of its own, and print what it lost. Exit code 1 when it did.

make faults            (KILLS=200 by default; the disks need root)
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.faults import damage, disk, kills
from bench.faults.home import Report

KILLS = int(os.environ.get("KILLS", "200"))
SEED = int(os.environ.get("SEED", str(random.randrange(10**6))))


def series() -> dict[str, Callable[[Path], Report]]:
    """Return every series by name; two fifths of the kills are at chosen places, the rest at random moments."""
    chosen = max(1, round(KILLS * 0.4 / (2 * len(kills.PLACES))))
    others = max(1, (KILLS - chosen * 2 * len(kills.PLACES)) // 2)
    found: dict[str, Callable[[Path], Report]] = {
        "serve": lambda folder: kills.at_random_moments(folder, others, SEED),
        "places": lambda folder: kills.at_chosen_places(folder, chosen),
        "commands": lambda folder: kills.of_commands(folder, others, SEED),
        "damage": damage.damaged,
        "locked": disk.locked,
    }
    if os.geteuid() == 0:
        found |= {
            "full": disk.full_at_each_place,
            "start": disk.full_from_the_start,
            "read-only": disk.read_only_home,
            "away": disk.outputs_away,
        }
    return found


def main() -> int:
    names = sys.argv[1:] or list(series())
    print(f"seed {SEED}", flush=True)
    failed = 0
    for name in names:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="studio-faults-") as scratch:
            report = series()[name](Path(scratch))
        print(f"{report}  ({time.monotonic() - began:.0f} s)", flush=True)
        failed += len(report.failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
