"""Render the first of each mode's examples with the pocket model.

python -m tools.demo [--out outputs/demo]
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from ltx_studio.errors import StudioError
from ltx_studio.jobs import LOCAL, Desk, Done, Failed, JobSpec, export
from ltx_studio.jobs.history import TakeRecord
from ltx_studio.logs import log_to_file
from ltx_studio.modes import MODES
from ltx_studio.settings import get_settings
from ltx_studio.ui.examples import examples

SHARED = {"seed": 1, "width": 256, "height": 192, "seconds": 2.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("outputs/demo"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    settings = get_settings()
    log_to_file(settings)
    desk = Desk(settings)
    try:
        for mode in MODES:
            values = {**examples(mode)[0].values, **SHARED}
            print(render(desk, mode, values, out / f"{mode}.mp4"), flush=True)
    except StudioError as error:
        sys.exit(f"{error.message}\n{error.hint}")
    finally:
        desk.close(timeout=10)


def render(desk: Desk, mode: str, values: dict[str, Any], destination: Path) -> Path:
    spec = JobSpec.from_request(mode, values, "pocket")
    print(f"{mode}: {spec.summary()}", file=sys.stderr)
    return export(desk.history.path(made(desk, spec)), destination)


def made(desk: Desk, spec: JobSpec) -> TakeRecord:
    """The take of a request that is handed in and waited for.

    Raises:
        StudioError: It failed.
    """
    (job,) = desk.submit(LOCAL, [spec])
    desk.work()
    *_, ended = desk.follow(job, LOCAL)
    match ended.state:
        case Done(take=take):
            return desk.history.get(take, LOCAL)
        case Failed(error=error):
            raise error
    raise SystemExit(f"{spec.mode} was stopped")


if __name__ == "__main__":
    main()
