"""Ask the pocket model for what it promises, and write down how often it does it.

    make obey

Writes docs/obedience.json and prints the same as a table.
"""

import argparse
import copy
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ltx_studio.engine import Engine
from ltx_studio.events import Failed, Finished
from ltx_studio.jobs import JobSpec
from ltx_studio.logs import log_to_file
from ltx_studio.media import Stager
from ltx_studio.pocket import files
from ltx_studio.settings import Settings, get_settings
from tools.obey.measure import Clip, read
from tools.obey.trials import FAMILIES, Family, Found, Line

OUT = Path(__file__).resolve().parent.parent.parent / "docs" / "obedience.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100, help="of each family")
    parser.add_argument("--only", help="families whose name contains this")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    settings = get_settings()
    log_to_file(settings)
    studio = Studio(settings)
    table: dict[str, Any] = {}
    met = True
    try:
        for family in FAMILIES:
            if given.only and given.only not in family.name:
                continue
            with tempfile.TemporaryDirectory() as scratch:
                found = list(family.run(studio.render, given.cases, Path(scratch)))
            table[family.name] = summary(family, found)
            for name, row in table[family.name].items():
                met &= row["met"]
                print(
                    f"{family.name:18} {name:32} {row['reached']:7.3f} of {row['at_least']:5.2f} in {row['cases']}",
                    flush=True,
                )
    finally:
        studio.close()
    given.out.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    sys.exit(not met)


def summary(family: Family, found: list[Found]) -> dict[str, Any]:
    """For each line: how many cases, what they reach, what they must."""
    rows = {}
    for line in family.lines:
        values = [float(each[line.name]) for each in found if line.name in each]
        reached = reached_by(line, values)
        rows[line.name] = {
            "cases": len(values),
            "reached": round(reached, 4),
            "at_least": line.at_least,
            "met": reached >= line.at_least,
        }
    return rows


def reached_by(line: Line, values: list[float]) -> float:
    """The median, or the share of those that hold."""
    if not values:
        return 0.0
    return float(np.median(values) if line.median else np.mean(values))


class Studio:
    """Runs requests through the studio's own graphs, in this process."""

    def __init__(self, settings: Settings, engine: Engine | None = None) -> None:
        self._settings, self._engine = settings, engine or Engine(settings)

    def render(self, mode: str, values: Mapping[str, Any], *, preset: str = "fast", lora: float | None = None) -> Clip:
        """See `Render`."""
        spec = JobSpec.from_request(mode, values, "pocket", preset)
        workflow = spec.build(Stager(self._settings.inputs_dir, self._settings.models_dir / "loras"))
        if lora is not None:
            workflow = replace(workflow, graph=_with_distilled_lora_at(workflow.graph, lora))
        for event in self._engine.run(workflow):
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Finished):
                return read(event.outputs[0].path)
        raise SystemExit("stopped")

    def close(self) -> None:
        self._engine.close(timeout=10)


def _with_distilled_lora_at(graph: Mapping[str, Any], strength: float) -> dict[str, Any]:
    changed = copy.deepcopy(dict(graph))
    for node in changed.values():
        if node["inputs"].get("lora_name") == Path(files.DISTILLED_LORA).name:
            node["inputs"]["strength_model"] = strength
    return changed


if __name__ == "__main__":
    main()
