"""Run one input again that fuzzing wrote down: ``python -m tests.fuzz.replay TARGET FILE``.

It needs a studio that was set up, whose node definitions it reads.
"""

import os
import sys
import tempfile
from pathlib import Path

from ltx_studio.settings import Settings
from tests.fuzz.child import REPOSITORY, run_file
from tests.fuzz.ground import environment, prepare
from tests.fuzz.measure import SECONDS
from tests.fuzz.targets import TARGETS


def main() -> None:
    if len(sys.argv) != 3 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python -m tests.fuzz.replay {{{','.join(TARGETS)}}} FILE")
    target, file = sys.argv[1], Path(sys.argv[2]).absolute()
    settings = Settings.from_env(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        ground = prepare(Path(folder) / "ground", settings)
        os.environ.update(environment(ground, settings, REPOSITORY))
        for line in run_file(str(ground.root), target, file, SECONDS):
            print(line)
        os.chdir(REPOSITORY)


if __name__ == "__main__":
    main()
