"""Memory on the page: the badge in the header, and the panel with the loaded models and a button that unloads them."""

from dataclasses import replace
from html import escape

import gradio as gr

from ltx_studio.errors import StudioError
from ltx_studio.settings import Vram
from ltx_studio.studio import Memory, Studio
from ltx_studio.text.formatting import in_gb, in_memory
from ltx_studio.web import cards, words
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.gradio_compat.quiet import AT_ONCE, QUIET
from ltx_studio.web.panels import texts
from ltx_studio.web.panels.workers import workers_card
from ltx_studio.web.rail import Rail

LOOK_SECONDS = 5
"""Seconds between two updates of the badge, and of the panel while it is open."""

TIGHT, EASY = 0.1, 0.5
"""Fractions of the device's memory: with less than `TIGHT` free it is nearly full, above `EASY` there is plenty."""


class MemoryBadge:
    """The badge that says how much of the device's memory is in use; it updates every `LOOK_SECONDS`."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def build(self) -> gr.HTML:
        """Add the badge to the open Blocks."""
        badge = gr.HTML(elem_id="memory")
        gr.on(None, self._shown, None, [badge], **AT_ONCE)
        gr.Timer(LOOK_SECONDS).tick(self._shown, None, [badge], **AT_ONCE)
        return badge

    def _shown(self) -> str:
        reading = self._studio.memory()
        if reading is not None:
            return badge_of(reading)
        state = texts.DID_NOT_START if self._studio.is_broken() else words.STARTING
        return _badge("none", texts.BADGE_WAIT.format(state=state))


def badge_of(reading: Memory) -> str:
    """Return the badge of a reading."""
    told = texts.BADGE.format(
        device="RAM" if device_of(reading) == "CPU" else "GPU", used=in_gb(reading.taken), total=in_gb(reading.total)
    )
    return _badge(level_of(reading), told, texts.BADGE_MORE)


def level_of(reading: Memory) -> str:
    """Return how much of the device's memory is in use: ``low``, ``ok`` or ``tight``."""
    free = reading.free / max(reading.total, 1)
    return "tight" if free < TIGHT else "low" if free > EASY else "ok"


def device_of(reading: Memory) -> str:
    """Return the short name of the device: CPU or GPU."""
    return "CPU" if reading.device.startswith("cpu") else "GPU"


def _badge(level: str, told: str, more: str = "") -> str:
    """Return the badge, with the level in words and as one, two or three bars; `more` is shown where there is room."""
    said = texts.LEVELS.get(level, "")
    bars = '<span class="bars" aria-hidden="true"><i></i><i></i><i></i></span>'
    word = f'<span class="level">{escape(said)}</span>' if said else ""
    wide = f'<span class="wide"> {escape(more)}</span>' if more else ""
    return f'<p class="memory {level}">{bars}<span>{escape(told)}{wide}</span>{word}</p>'


class MemoryPanel:
    """The loaded models, a button that unloads them, and how much memory models may use."""

    def __init__(self, studio: Studio, redaction: Redaction) -> None:
        self._studio, self._vram, self._redaction = studio, studio.settings.vram, redaction

    def build(self, rail: Rail) -> None:
        """Add the components to the models panel, which is open for building; they update while it is shown."""
        now = gr.HTML(elem_id="memory-now")
        unload = gr.Button(texts.UNLOAD, elem_id="unload")
        card = gr.HTML(elem_id="unload-card")
        # a separate component, because an update folds what was unfolded in it
        gr.HTML(f'<div class="card"><p class="head">{texts.SETTING_TIER}</p>{tier(self._vram)}</div>')
        timer = gr.Timer(LOOK_SECONDS, active=False)
        timer.tick(self._now, None, [now], **AT_ONCE)
        rail.on_open("models", lambda: (self._now(), gr.Timer(active=True)), None, [now, timer], queue=False)
        rail.on_close("models", lambda: gr.Timer(active=False), None, [timer])
        unload.click(self._unload, None, [now, card], concurrency_limit=None, **QUIET)

    def _now(self) -> str:
        """Return the card that says what is loaded."""
        reading = self._studio.memory()
        if reading is None:
            said = texts.MEMORY_FAILED if self._studio.is_broken() else texts.MEMORY_STARTING
        else:
            taken, total = in_memory(reading.taken), in_memory(reading.total)
            count = len(reading.models)
            loaded = texts.LOADED.format(count=count, size=in_memory(reading.loaded)) if count else texts.NONE_LOADED
            said = f"{texts.DEVICE.format(device=_name(reading), taken=taken, total=total)} {loaded} {policy(reading)}"
        memory = f'<div class="card"><p class="head">{texts.MEMORY}</p><p>{cards.prose(said)}</p></div>'
        workers = self._studio.workers()
        if not self._redaction.is_open:  # nothing of this machine, nor of others' jobs
            workers = [replace(each, job="", problem=self._redaction.said(each.problem)) for each in workers]
        return memory + workers_card(workers)

    def _unload(self) -> tuple[str, str]:
        """Unload all models, or say that a run uses them, rather than wait for it."""
        try:
            freed = self._studio.unload()
        except StudioError as problem:
            return self._now(), self._redaction.error(problem)
        if freed is None:
            return self._now(), cards.message(texts.NONE_LOADED)
        before, after = freed
        told = texts.UNLOADED if before.models else texts.NOTHING_LOADED
        # on a GPU it is unknown which process uses the memory
        where = texts.ON_CPU if device_of(after) == "CPU" else texts.ON_GPU
        said = told.format(
            where=where, count=len(before.models), before=in_memory(before.used), after=in_memory(after.used)
        )
        return self._now(), cards.message(said, texts.LOADS_AGAIN if before.models else "")


def policy(reading: Memory) -> str:
    """Return how ComfyUI manages memory, which is its choice from the setting and the device."""
    return texts.TIER_NOW.format(policy=texts.POLICIES.get(reading.tier, reading.tier))


def tier(chosen: Vram) -> str:
    """Return the chosen memory tier, and how to choose another one."""
    said = texts.TIER.format(tier=chosen, what=texts.TIERS[chosen])
    other = Vram.LOW if chosen is Vram.AUTO else Vram.AUTO
    how = texts.TIER_HOW.format(command=f"LTX_STUDIO_VRAM={other} ltx-studio serve")
    rows = "".join(f"<li><code>{each}</code> {escape(texts.TIERS[each])}</li>" for each in Vram)
    return (
        f"<p>{cards.prose(said)}</p><details><summary>{texts.TIERS_ALL}</summary>"
        f"<ul>{rows}</ul><p>{cards.prose(how)}</p></details>"
    )


def _name(reading: Memory) -> str:
    """Return the device's name, without the allocator that ComfyUI appends."""
    return "RAM" if device_of(reading) == "CPU" else reading.device.split(" : ")[0]
