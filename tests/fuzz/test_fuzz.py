"""No input breaks a parser: no exception but the studio's own, no time or memory without end, no file elsewhere.

`make test` runs a few cases of each target, `make fuzz` many (``FUZZ_CASES`` says how many). What a case did wrong is
listed with the file that shows it; `tests.fuzz.replay` runs it again.
"""

import os
from pathlib import Path

import pytest

from ltx_studio.graph.definitions import Definitions
from ltx_studio.settings import Settings
from tests.fuzz import ground
from tests.fuzz.child import REPOSITORY
from tests.fuzz.measure import SECONDS
from tests.fuzz.run import run
from tests.fuzz.targets import TARGETS

CASES = int(os.environ.get("FUZZ_CASES") or 60)
FAULTS = Path(os.environ.get("FUZZ_FAULTS") or REPOSITORY / "test-results" / "fuzz")
GENEROUS = 3
"""Times the limit in `make test`, so that a slow machine fails nothing; 1 where fuzzing is what is asked for."""


@pytest.fixture(scope="module")
def made(settings: Settings, definitions: Definitions, tmp_path_factory: pytest.TempPathFactory) -> ground.Ground:
    """The folders of all targets, which share the tables of characters that hypothesis takes seconds to make."""
    return ground.prepare(tmp_path_factory.mktemp("fuzz") / "ground", settings)


@pytest.mark.timeout(0 if "FUZZ_CASES" in os.environ else 600)
@pytest.mark.parametrize("target", TARGETS)
def test_no_input_breaks_it(target: str, made: ground.Ground, settings: Settings) -> None:
    seconds = SECONDS if "FUZZ_CASES" in os.environ else SECONDS * GENEROUS

    report = run(target, CASES, made.root, ground.environment(made, settings, REPOSITORY), seconds, FAULTS / target)

    print(report)
    assert not report.faults, str(report)
    assert report.cases >= CASES
