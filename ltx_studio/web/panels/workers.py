"""The workers of a cluster on the page: what each one does, and why one gets no jobs."""

import time
from collections.abc import Sequence
from html import escape

from ltx_studio.studio import WorkerState
from ltx_studio.text.catalogue import translated
from ltx_studio.text.formatting import in_memory
from ltx_studio.web.panels import texts


def workers_card(states: Sequence[WorkerState], now: float | None = None) -> str:
    """Return the card with all workers; empty without a cluster.

    Args:
        states: The workers.
        now: The current time, in seconds since the epoch.
    """
    if not states:
        return ""
    rows = "".join(
        f"<li><b>{escape(state.name)}</b> {escape(_said(state, now or time.time()))}</li>" for state in states
    )
    return f'<div class="card" id="workers"><p class="head">{texts.WORKERS}</p><ul>{rows}</ul></div>'


def _said(state: WorkerState, now: float) -> str:
    if state.problem:
        return texts.WORKER_NO_JOBS.format(problem=translated(state.problem))
    parts = [texts.WORKER_RENDERING.format(job=state.job) if state.job else texts.WORKER_FREE]
    if state.device:
        used, total = in_memory(state.used), in_memory(state.total)
        parts.append(f"{state.device.split(' : ')[0]}, {texts.WORKER_IN_USE.format(used=used, total=total)}")
    if state.model_set:
        parts.append(texts.WORKER_LOADED.format(model_set=state.model_set))
    if state.heard:
        parts.append(texts.WORKER_ANSWERED.format(seconds=round(max(now - state.heard, 0))))
    return " · ".join(parts)
