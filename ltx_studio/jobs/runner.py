"""Carries a job to an engine in this process."""

from collections.abc import Iterator

from ltx_studio.engine import CancelToken, Engine
from ltx_studio.errors import ModelMissingError, StudioError
from ltx_studio.events import Event, Failed
from ltx_studio.jobs.spec import JobSpec
from ltx_studio.models import get_model_set


def run(spec: JobSpec, engine: Engine, cancel: CancelToken | None = None) -> Iterator[Event]:
    """Build the graph of `spec` and run it; the stream is that of `Engine.run`."""
    try:
        workflow = spec.build()
    except StudioError as error:
        yield Failed(error)
        return
    for event in engine.run(workflow, cancel):
        yield _with_the_sets_advice(event, spec)


def _with_the_sets_advice(event: Event, spec: JobSpec) -> Event:
    """A model set knows better than the engine what to do about a file that is missing."""
    if isinstance(event, Failed) and isinstance(event.error, ModelMissingError):
        hint = get_model_set(spec.model_set).install_hint
        return Failed(ModelMissingError(event.error.message, hint, where=event.error.where))
    return event
