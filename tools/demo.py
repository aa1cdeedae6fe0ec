"""Render the first of each mode's examples with the pocket model.

python -m tools.demo [--out outputs/demo]
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from ltx_studio.cli.hints import hint_of
from ltx_studio.errors import StudioError
from ltx_studio.logs import log_to_file
from ltx_studio.models import get_registry
from ltx_studio.modes import MODES
from ltx_studio.queue import LOCAL, Done, Failed, JobSpec
from ltx_studio.settings import get_settings
from ltx_studio.studio import Studio
from ltx_studio.takes import export
from ltx_studio.takes.records import TakeRecord

SHARED = {"seed": 1, "width": 256, "height": 192, "seconds": 2.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("outputs/demo"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    settings = get_settings()
    log_to_file(settings)
    studio = Studio(settings)
    try:
        for mode in MODES:
            values = {**MODES[mode].examples[0].values, **SHARED}
            print(render(studio, mode, values, out / f"{mode}.mp4"), flush=True)
    except StudioError as error:
        sys.exit(f"{error.message}\n{hint_of(error)}")
    finally:
        studio.close(timeout=10)


def render(studio: Studio, mode: str, values: dict[str, Any], destination: Path) -> Path:
    spec = JobSpec.from_request(mode, values, get_registry(studio.settings).get_set("pocket"))
    print(f"{mode}: {spec.summary()}", file=sys.stderr)
    return export(studio.takes.path(made(studio, spec)), destination)


def made(studio: Studio, spec: JobSpec) -> TakeRecord:
    """Submit a request, wait for it and return its take.

    Raises:
        StudioError: The request failed.
    """
    (job,) = studio.jobs.submit(LOCAL, [spec])
    studio.work()
    *_, ended = studio.jobs.follow(job, LOCAL)
    match ended.state:
        case Done(take=take):
            return studio.takes.get(take, LOCAL)
        case Failed(error=error):
            raise error
    raise SystemExit(f"{spec.mode} was stopped")


if __name__ == "__main__":
    main()
