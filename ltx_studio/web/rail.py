"""The rail: six buttons that open the drawer's panels, one at a time; on a phone also the three tabs below the page."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any

import gradio as gr

from ltx_studio.text.catalogue import translated
from ltx_studio.web import words
from ltx_studio.web.files import asset
from ltx_studio.web.gradio_compat.quiet import AT_ONCE, QUIET

PANELS: Mapping[str, str] = {
    "history": words.HISTORY,
    "queue": words.QUEUE,
    "models": words.MODELS,
    "batch": words.BATCH,
    "workflow": words.WORKFLOW_PANEL,
    "settings": words.SETTINGS,
}
"""The panels' names, in the order of their buttons, with what is written on them."""

FIRST_PANEL = "history"

_ICONS = {
    "history": '<path d="M4 5.5V9h3.5"/><path d="M4.4 9a8 8 0 1 1-.3 4.5"/><path d="M12 8v4.5l3 1.8"/>',
    "queue": '<path d="M4 6h16M4 12h10M4 18h10"/><path d="m17.5 12.500 4 2.750-4 2.750z"/>',
    "models": '<path d="m12 3 8 4.500v9L12 21l-8-4.500v-9z"/><path d="m4 7.500 8 4.500 8-4.500M12 12v9"/>',
    "batch": '<path d="M8 4h12v12"/><path d="M4 8h12v12H4z"/><path d="M7 12h6M7 16h6"/>',
    "workflow": '<path d="M3.500 4h6v5h-6zM14.500 15h6v5h-6z"/><path d="M9.500 6.500H15a2 2 0 0 1 2 2V15"/>',
    "settings": '<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>',
    "make": '<path d="m5 19 1-4L16 5l3 3L9 18z"/><path d="m14 7 3 3"/>',
    "watch": '<path d="M4 5h16v14H4z"/><path d="m10 9 5 3-5 3z"/>',
    "library": '<path d="M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z"/>',
}
"""What is drawn on the buttons, in a square of 24."""

_MOUNT = '() => [{__type__: "update", visible: true}]'
"""JavaScript: the browser builds a panel's components when it is first opened, so that the page opens sooner."""


class Rail:
    """The rail of one page. The browser opens and closes the panels by itself (`assets/studio.js`).

    Attributes:
        html: The rail's component. Its properties ``queue`` and ``models`` are badges: see `badge`.
    """

    html: gr.HTML

    def __init__(self) -> None:
        self._mounted: dict[str, Any] = {}

    def build(self) -> None:
        """Add the rail to the open Blocks."""
        buttons = "".join(_button(name, translated(label)) for name, label in PANELS.items())
        tabs = "".join(_tab(name, label) for name, label in words.TABS.items())
        template = (
            f'<nav id="rail" aria-label="{words.RAIL}"><ul>{buttons}</ul></nav>'
            f'<nav id="tabs" aria-label="{words.TABS_NAME}"><ul>{tabs}</ul></nav>'
        )
        self.html = gr.HTML(
            html_template=template,
            js_on_load=asset("rail.js"),
            queue={},
            models={},
            elem_id="rail-place",
            apply_default_css=False,
        )

    def head(self) -> None:
        """Add the drawer's head to the open Blocks: the open panel's title, and a button that closes the panel."""
        titles = "".join(f'<h2 data-of="{name}">{escape(translated(label))}</h2>' for name, label in PANELS.items())
        close = (
            f'<button id="drawer-close" type="button" aria-label="{words.CLOSE_PANEL}">'
            '<span aria-hidden="true">✕</span></button>'
        )
        gr.HTML(f'<div class="head">{titles}{close}</div>', elem_id="drawer-head", apply_default_css=False)

    @contextmanager
    def panel(self, name: str) -> Iterator[None]:
        """Add a panel's column to the open Blocks, open for building; the rail must be built."""
        # `variant`, not a class of ours: Gradio takes the class `panel` away from a column of another variant
        with gr.Column(visible=name == FIRST_PANEL, elem_id=f"panel-{name}", variant="panel") as column:
            self._mounted[name] = getattr(self.html, name)(None, None, [column], js=_MOUNT, **QUIET)
            yield

    def on_open(self, name: str, handler: Callable[..., Any], inputs: Any, outputs: Any, **options: Any) -> None:
        """Call `handler` whenever a panel was opened; the panel must be open for building, or built."""
        self._mounted[name].then(handler, inputs, outputs, **(QUIET | options))

    def on_close(self, name: str, handler: Callable[..., Any], inputs: Any, outputs: Any) -> None:
        """Call `handler` whenever a panel was closed."""
        getattr(self.html, f"leave_{name}")(handler, inputs, outputs, **AT_ONCE)


def badge(text: str, says: str = "") -> dict[str, str]:
    """Return the value of a badge: a short text beside a button's icon, and what the button is then called."""
    return {"text": text, "says": says}


def icon(name: str) -> str:
    """Return an icon as SVG, which takes the text's colour."""
    return (
        '<svg viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="1.75"'
        f' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{_ICONS[name]}</svg>'
    )


def _button(name: str, label: str) -> str:
    return (
        f'<li><button id="rail-{name}" type="button" data-panel="{name}" data-label="{escape(label)}"'
        f' aria-controls="panel-{name}" aria-expanded="false">{icon(name)}'
        f'<span class="label">{escape(label)}</span><span class="badge" hidden></span></button></li>'
    )


def _tab(name: str, label: str) -> str:
    states = f' data-saysgoing="{words.WATCH_GOING}" data-saysdone="{words.WATCH_DONE}"' if name == "watch" else ""
    return (
        f'<li><button id="tab-{name}" type="button" data-tab="{name}"{states}>{icon(name)}'
        f'<span class="label">{escape(label)}</span><span class="badge" hidden></span></button></li>'
    )
