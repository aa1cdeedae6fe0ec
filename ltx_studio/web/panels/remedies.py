"""The buttons under an error's card: the remedies that the studio itself can carry out."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from ltx_studio.errors import Remedy, StudioError
from ltx_studio.models import ModelFile, get_registry
from ltx_studio.modes import get_mode
from ltx_studio.settings import Settings
from ltx_studio.studio import Job, JobSpec, Spec, Studio
from ltx_studio.web import words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.gradio_compat.quiet import AS_LONG_AS_A_RUN
from ltx_studio.web.gradio_compat.streams import streamed
from ltx_studio.web.panels.screen import Updates

if TYPE_CHECKING:
    from ltx_studio.web.panels.run import RunPanel


def labels() -> Mapping[Remedy, str]:
    """Return what is written on the remedies' buttons."""
    return {
        Remedy.FETCH: words.REMEDY_FETCH,
        Remedy.SMALLER: words.REMEDY_SMALLER,
        Remedy.UNLOAD: words.REMEDY_UNLOAD,
        Remedy.RETRY: words.REMEDY_RETRY,
    }


def remedies_of(error: StudioError, spec: Spec | None = None) -> tuple[Remedy, ...]:
    """Return the remedies for an error; `SMALLER` only if the request `spec` can be made smaller."""
    return tuple(
        remedy for remedy in error.remedies if remedy is not Remedy.SMALLER or spec is None or smaller(spec) is not None
    )


def smaller(spec: Spec) -> JobSpec | None:
    """Return the request at half the width and height, or None if it cannot be made smaller or has no size."""
    if not isinstance(spec, JobSpec) or spec.fresh:
        return None
    step = get_mode(spec.mode).size_step(spec.params, spec.sampling)
    now = {name: getattr(spec.params, name) for name in ("width", "height")}
    half = {name: spec.params.geometry.snap(pixels / 2, step) for name, pixels in now.items()}
    return None if half == now else replace(spec, params=spec.params.model_copy(update=half))


def files_to_fetch(error: StudioError, settings: Settings) -> list[ModelFile]:
    """Return the model files that the error names, if the studio knows where to get them."""
    known = get_registry(settings).files
    return [known[key] for key in error.files if key in known and known[key].repo]


def carry_out(studio: Studio, remedy: Remedy, job: Job) -> list[str]:
    """Carry out a remedy for a failed job; return the ids of the resulting jobs, for the page to follow.

    The models panel fetches files, because it shows the progress: see `files_to_fetch`.

    Raises:
        StudioError: It cannot be done now, such as unloading during a run.
    """
    match remedy:
        case Remedy.RETRY:
            return [studio.jobs.retry(job.id, job.owner).id]
        case Remedy.SMALLER:
            half = smaller(studio.jobs.request(job))
            return studio.jobs.submit(job.owner, [half]) if half is not None else []
        case Remedy.UNLOAD:
            studio.unload()
    return []


class RemedyButtons:
    """A row of buttons that shows those that help.

    Attributes:
        by_remedy: The buttons, for the page to handle their clicks.
    """

    def __init__(self) -> None:
        self.by_remedy: dict[Remedy, gr.Button] = {}

    def build(self) -> None:
        """Add the row to the open Blocks."""
        with gr.Row(elem_id="remedies"):
            for remedy, label in labels().items():
                self.by_remedy[remedy] = gr.Button(
                    label,
                    variant="primary" if remedy is Remedy.FETCH else "secondary",
                    size="md",
                    visible=False,
                    elem_id=f"remedy-{remedy}",
                )

    @property
    def outputs(self) -> list[gr.Button]:
        """The components that `updates` returns values for."""
        return list(self.by_remedy.values())

    def updates(self, error: StudioError | None, spec: Spec | None = None) -> list[dict[str, Any]]:
        """Return updates that show the remedies for an error, or none without an error."""
        shown = () if error is None else remedies_of(error, spec)
        return [gr.update(visible=remedy in shown) for remedy in self.by_remedy]

    def wire(self, run: "RunPanel", studio: Studio, owners: Owners) -> None:
        """Have each button carry out its remedy for the failed job, and show the result."""
        for remedy, button in self.by_remedy.items():
            if remedy is not Remedy.FETCH:  # the models panel does that
                button.click(
                    streamed(_handler(remedy, run, studio, owners)), [run.failed], run.outputs, **AS_LONG_AS_A_RUN
                )


def _handler(remedy: Remedy, run: "RunPanel", studio: Studio, owners: Owners) -> Any:
    def help_it(job_id: str, request: gr.Request) -> Iterator[Updates]:
        try:
            if remedy is not Remedy.UNLOAD and not run.answers(job_id, request):
                yield run.nothing()
                return
            jobs = carry_out(studio, remedy, studio.jobs.get(job_id, owners.of(request)))
            if jobs:
                yield from run.follow(jobs, request)
            else:
                yield run.said(words.UNLOADED_TRY)
        except StudioError as problem:
            yield run.problem(problem)

    return help_it
