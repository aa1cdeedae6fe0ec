"""Topaz Cinema Slate: slate and amber, IBM Plex Sans from Gradio's own files, so nothing comes from the network."""

import re

from gradio.themes import Base, LocalFont
from gradio.themes.utils.colors import Color

from ltx_studio.web.files import asset

SLATE = Color(
    *("#E8EAED", "#D3D8DE", "#B4BCC6", "#95A0AD", "#768494", "#5C6978"),
    *("#434E5B", "#323B46", "#262E37", "#1A1F26", "#12161B"),
    name="slate",
)
AMBER = Color(
    *("#FCF5EC", "#F8E8D2", "#F3D8B1", "#EDC78F", "#E7B471", "#E0A458"),
    *("#C98A3B", "#A06D2D", "#775121", "#4E3515", "#2F200D"),
    name="amber",
)

WEIGHTS = (400, 700)
"""Gradio 6.31's file for 600 holds no Latin letters; without it the browser uses 700 for 600."""

STYLES = (
    "layout.css", "controls.css", "forms.css", "screen.css", "panels.css", "queue.css", "history.css", "compare.css",
)  # fmt: skip
"""The page's style sheets, in `assets`; later rules win. `frame.css` is for what is outside of `CONTAINER`."""

CONTAINER = ".gradio-container.gradio-container.gradio-container .contain"
"""Where the sheets' rules apply, repeated so that they win over Gradio's own."""

_KEYFRAMES = re.compile(r"@keyframes [^{]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")


def styles() -> str:
    """Return the page's style sheets as one, for the page's head.

    Not for Gradio's option `css`: it loses container queries, breaks lists in `:is()`, and applies the rules only after
    the page was drawn without them.
    """
    sheets = "".join(map(asset, STYLES))
    keyframes = "".join(_KEYFRAMES.findall(sheets))
    return f"{asset('frame.css')}{keyframes}{CONTAINER} {{{_KEYFRAMES.sub('', sheets)}}}"


def theme() -> Base:
    """Return the theme: dark, whatever the browser prefers, so that each of Gradio's own colours is its dark one."""
    look = Base(
        primary_hue=AMBER,
        neutral_hue=SLATE,
        font=(LocalFont("IBM Plex Sans", WEIGHTS), "ui-sans-serif", "system-ui", "sans-serif"),
        font_mono=(LocalFont("IBM Plex Mono", WEIGHTS), "ui-monospace", "Consolas", "monospace"),
    )
    colours = {
        "body_background_fill": "*neutral_900",
        "body_text_color": "*neutral_50",
        "body_text_color_subdued": "*neutral_300",
        "background_fill_primary": "*neutral_900",
        "background_fill_secondary": "*neutral_800",
        "block_background_fill": "*neutral_800",
        "block_border_color": "*neutral_700",
        "block_label_background_fill": "*neutral_800",
        "block_label_text_color": "*neutral_200",
        "block_title_text_color": "*neutral_200",
        "block_info_text_color": "*neutral_300",
        "border_color_primary": "*neutral_700",
        "input_background_fill": "*neutral_900",
        "input_border_width": "1px",
        "input_border_color": "*neutral_400",
        "input_border_color_focus": "*primary_500",
        "input_border_color_hover": "*neutral_300",
        "input_placeholder_color": "*neutral_300",
        "slider_color": "*primary_500",
        "checkbox_background_color": "*neutral_900",
        "checkbox_background_color_selected": "*primary_500",
        "checkbox_background_color_focus": "*neutral_900",
        "checkbox_background_color_hover": "*neutral_900",
        "checkbox_border_color": "*neutral_300",
        "checkbox_border_color_focus": "*neutral_200",
        "checkbox_border_color_hover": "*neutral_200",
        "checkbox_border_color_selected": "*primary_500",
        "checkbox_border_width": "1.5px",
        "button_border_width": "1px",
        "button_primary_border_color": "*primary_500",
        "button_primary_border_color_hover": "*primary_400",
        "checkbox_label_background_fill": "*neutral_800",
        "checkbox_label_text_color": "*neutral_100",
        "button_primary_background_fill": "*primary_500",
        "button_primary_background_fill_hover": "*primary_400",
        "button_primary_text_color": "*neutral_950",
        "button_cancel_background_fill": "*neutral_800",
        "button_cancel_background_fill_hover": "*neutral_700",
        "button_cancel_border_color": "#D9705F",
        "button_cancel_text_color": "#F2B8AE",
        "button_cancel_text_color_hover": "#F2B8AE",
        "button_secondary_background_fill": "*neutral_700",
        "button_secondary_background_fill_hover": "*neutral_600",
        "button_secondary_border_color": "*neutral_400",
        "button_secondary_border_color_hover": "*neutral_300",
        "button_secondary_text_color": "*neutral_50",
    }
    look.set(**colours, **{f"{name}_dark": value for name, value in colours.items()})
    for name, value in list(vars(look).items()):
        if name.endswith("_dark") and value is not None:
            setattr(look, name.removesuffix("_dark"), value)
    return look
