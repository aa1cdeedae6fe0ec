"""How far a run is, made of its events."""

from dataclasses import replace

from ltx_studio.events import Event, StageStarted, Step, Waiting
from ltx_studio.jobs.states import Progress
from ltx_studio.modes.stages import SAMPLED
from ltx_studio.words import WAITING


def advance(progress: Progress, event: Event, now: float) -> Progress:
    """The progress after an event that comes `now`, in seconds since the epoch; the same one when it says nothing."""
    match event:
        case Waiting(reason):
            return replace(progress, stage=WAITING[reason], step=0, steps=0)
        case StageStarted(_, label, index, count):
            return replace(progress, stage=label, step=0, steps=0, index=index, stages=count)
        case Step(stage, step, total):
            progress = replace(progress, step=step, steps=total)
            if not progress.since and SAMPLED.fullmatch(stage):
                progress = replace(progress, since=now, done_then=progress.done)
    return progress
