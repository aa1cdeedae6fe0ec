"""Compute the progress of a run from its events."""

from dataclasses import replace

from ltx_studio.events import Event, PhaseStarted, Step, Waiting
from ltx_studio.modes.phases import SAMPLED
from ltx_studio.queue.states import Progress
from ltx_studio.text.phrases import WAITING


def advance(progress: Progress, event: Event, now: float) -> Progress:
    """Return the progress after an event at `now`, in seconds since the epoch; unchanged if the event carries none."""
    match event:
        case Waiting(reason, note):
            return replace(progress, phase=note or WAITING[reason], step=0, steps=0)
        case PhaseStarted(_, label, index, count):
            return replace(progress, phase=label, step=0, steps=0, index=index, phases=count)
        case Step(phase, step, total):
            progress = replace(progress, step=step, steps=total)
            if not progress.since and SAMPLED.fullmatch(phase):
                progress = replace(progress, since=now, done_then=progress.done)
    return progress
