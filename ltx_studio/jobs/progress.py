"""How far a run is, made of its events."""

from dataclasses import replace

from ltx_studio.events import Event, StageStarted, Step, Waiting
from ltx_studio.jobs.states import Progress
from ltx_studio.words import WAITING


def advance(progress: Progress, event: Event) -> Progress:
    """The progress after an event; the same one when it says nothing of it."""
    match event:
        case Waiting(reason):
            return replace(progress, stage=WAITING[reason], step=0, steps=0)
        case StageStarted(_, label, index, count):
            return Progress(label, 0, 0, index, count)
        case Step(_, step, total):
            return replace(progress, step=step, steps=total)
    return progress
