"""The screen: one box for the empty state, the live preview and the finished clip, and the status line below it."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any, TypeAlias

import gradio as gr

from ltx_studio.families.model_set import ModelSet
from ltx_studio.modes import Mode
from ltx_studio.modes.examples import Example
from ltx_studio.text.catalogue import translated
from ltx_studio.web import cards, words
from ltx_studio.web.example_clips import PREFIX, clip_name, poster_name
from ltx_studio.web.files import address, asset

Updates: TypeAlias = dict[Any, Any]
"""Updates of components, as a handler may return them."""

_TALL = " tall"

MOST_EXAMPLES = 4
"""Examples that the empty screen offers for each mode."""


def acts(*names: str) -> str:
    """Return a script for `gr.HTML` that triggers an event when an element with its name in ``data-act`` is clicked.

    Gradio finds the names of events in the script's text.
    """
    return f"const ACTS = {json.dumps(names)};\n{asset('acts.js')}"


class Screen:
    """The screen, with the status line below it, and the line about a run that goes on behind a clip.

    Attributes:
        view: The box: what forms, what is finished, or what to do. Its event ``example`` names a mode and an example.
        status: What happens, or how the shown clip was made.
        stop: Stops the run that the tab follows.
        going: The run that goes on while something else is shown. Its event ``turn`` asks for it.
        told: What the visitor has to know. Its event ``cancel_rest`` cancels the clips that follow the one shown.
        toast: Says for a while that clips are deleted. Its event ``undo`` puts them back.
    """

    view: gr.HTML
    status: gr.HTML
    stop: gr.Button
    going: gr.HTML
    told: gr.HTML
    toast: gr.HTML

    def __init__(self, modes: Mapping[str, Mode], model_set: ModelSet) -> None:
        self._empty = empty(modes.values(), model_set)

    def build(self) -> None:
        """Add the components to the open Blocks."""
        self.view = gr.HTML(self._empty, elem_id="screen", js_on_load=acts("example"), apply_default_css=False)
        with gr.Column(elem_id="status"):
            self.status = gr.HTML(cards.status(words.IDLE), elem_id="run", js_on_load=acts(), apply_default_css=False)
            self.stop = gr.Button(words.STOP, visible=False, elem_id="stop", variant="stop", size="md")
            self.going = gr.HTML("", elem_id="going", js_on_load=acts("turn"), apply_default_css=False)
        self.told = gr.HTML("", elem_id="told", js_on_load=f"{acts('cancel_rest')}\n{asset('told.js')}")

    def build_toast(self) -> None:
        """Add the toast to the open Blocks, outside of all that can be covered or closed."""
        self.toast = gr.HTML("", elem_id="toast", js_on_load=f"{acts('undo')}\n{asset('toast.js')}")

    @property
    def outputs(self) -> list[gr.components.Component]:
        """The components that the methods return updates for."""
        return [self.view, self.status, self.stop, self.going]

    def nothing(self) -> Updates:
        """Return updates for a screen that shows nothing."""
        return {self.view: self._empty, self.status: cards.status(words.IDLE)}


def empty(modes: Iterable[Mode], model_set: ModelSet) -> str:
    """Return the empty screen: for each mode, what to do and some examples. The script shows those of the open mode.

    Args:
        modes: The modes.
        model_set: The set in use, whose notice is shown. The examples for a preview would be dull with another one.
    """
    notice = f'<p class="notice">{escape(translated(model_set.notice))}</p>' if model_set.notice else ""
    sections = "".join(_empty_of(mode, model_set.is_preview) for mode in modes)
    return f'<div class="empty">{sections}{notice}</div>'


def _empty_of(mode: Mode, is_preview: bool) -> str:
    fields = mode.params.model_fields
    needed = [words.within(str(fields[name].title)) for name in mode.media if fields[name].is_required()]
    files = words.AND_A.join(needed)
    what = words.EMPTY_FILES.format(files=files) if needed else words.EMPTY
    examples = [each for each in mode.examples if each.for_pocket == is_preview][:MOST_EXAMPLES]
    cards_of = "".join(
        f'<li><button type="button" class="example" data-act="example" data-mode="{mode.id}"'
        f' data-example="{escape(each.label)}">{_clip_of(mode, each)}<b>{escape(translated(each.label))}</b>'
        f"<span>{escape(str(each.values.get('prompt', '')))}</span></button></li>"
        for each in examples
    )
    label = words.EXAMPLES_OF.format(mode=escape(translated(mode.label)))
    return (
        f'<section data-mode="{mode.id}"><p class="what">{escape(what)}</p>'
        f'<ul class="examples" aria-label="{label}">{cards_of}</ul></section>'
    )


def _clip_of(mode: Mode, example: Example) -> str:
    """Return an example's small clip. ``examples.js`` loads its poster once the form can be used, and plays it.

    Only the preview's examples have one.
    """
    if not example.for_pocket:
        return ""
    clip, poster = PREFIX[1:] + clip_name(mode, example), PREFIX[1:] + poster_name(mode, example)
    return (
        f'<video muted loop playsinline disablepictureinpicture preload="none" tabindex="-1" aria-hidden="true"'
        f' data-clip="{clip}" data-poster="{poster}"></video>'
    )


def slate(text: str, *, tall: bool = False) -> str:
    """Return the screen of a clip of which nothing can be seen. It is higher if the clip is `tall`."""
    return f'<div class="slate{_TALL if tall else ""}"><p dir="auto">{escape(text)}</p></div>'


def forming(moving: str, still: str, *, tall: bool = False) -> str:
    """Return the live preview, from the URLs of an animated picture and of a still one for reduced motion."""
    return (
        f'<div id="preview" class="{_TALL if tall else ""}"><picture><source media="(prefers-reduced-motion: reduce)"'
        f' srcset="{still}"><img src="{moving}" alt="{words.FORMING}"></picture></div>'
    )


def clip(file: Path, poster: Path, name: str, *, tall: bool = False) -> str:
    """Return a clip that plays, with a button for when it does not play by itself."""
    try:
        still = f' poster="{escape(address(poster))}"'
    except OSError:  # it has none
        still = ""
    source = f'src="{escape(address(file))}"{still} aria-label="{escape(name)}"'
    return (
        f'<div id="clip" class="{_TALL if tall else ""}"><video {source} autoplay loop playsinline controls></video>'
        f'<button type="button" class="play" aria-label="{words.PLAY}"></button></div>'
    )
