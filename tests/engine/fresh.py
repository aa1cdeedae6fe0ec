"""What a test runs in a process of its own, where ComfyUI is not booted yet. Prints one line of JSON."""

import json
import sys

import app
from ltx_studio.engine import CancelToken, Engine
from ltx_studio.events import Finished, Heartbeat, Waiting
from ltx_studio.logs import log_to_file
from ltx_studio.settings import get_settings
from tests.support import outcome_of, small_workflow


def main() -> None:
    """Cancel twice while ComfyUI boots, then run; our own `app` is imported before all of it."""
    settings = get_settings()
    log_to_file(settings)
    engine = Engine(settings)
    cancelled = [cancel_at(engine, Waiting), cancel_at(engine, Heartbeat)]
    outcome = outcome_of(engine.run(small_workflow()))
    said = {"cancelled": cancelled, "then": type(outcome).__name__, "app": both_apps()}
    if isinstance(outcome, Finished):
        said["path"] = str(outcome.outputs[0].path)
    print(json.dumps(said))


def cancel_at(engine: Engine, moment: type) -> list[str]:
    cancel = CancelToken()
    kinds = []
    for event in engine.run(small_workflow(), cancel):
        if isinstance(event, moment):
            cancel.cancel()
        if not isinstance(event, Heartbeat):
            kinds.append(type(event).__name__)
    return kinds


def both_apps() -> list[str]:
    """Names that only our module, and only ComfyUI's package, brings."""
    return [name for name in ("build_app", "logger") if hasattr(sys.modules["app"], name) and sys.modules["app"] is app]


if __name__ == "__main__":
    main()
