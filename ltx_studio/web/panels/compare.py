"""The comparison of two takes: both clips, played in sync, and the differences in how they were made."""

import re
import secrets
from collections.abc import Iterator, Mapping
from html import escape
from mimetypes import guess_type
from typing import Any

import gradio as gr

from ltx_studio.errors import RequestError, StudioError
from ltx_studio.families import all_presets
from ltx_studio.models import get_registry
from ltx_studio.modes import MODES
from ltx_studio.studio import Studio, TakeRecord
from ltx_studio.text.catalogue import translated
from ltx_studio.web import words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.files import address, asset
from ltx_studio.web.panels import texts

NAMES = ("A", "B")
MOST_LETTERS = 4000
"""Characters of a value that is shown."""
_MEASURED = frozenset({"prompt", "seed", "seconds", "fps", "width", "height", "name", "graph", "files"})
"""Parameters that are shown from the take itself, or as the lines of a workflow."""
_KEPT_FILE = re.compile(r"([0-9a-f]{8})[0-9a-f]{56}(\.\w+)?")


class Compare:
    """A dialog that `show` fills and its own script opens.

    Attributes:
        shown: The dialog's content: the first output of `show`; the second is a card that says why it failed.
    """

    shown: gr.HTML

    def __init__(self, studio: Studio, owners: Owners) -> None:
        self._studio, self._owners = studio, owners
        self._redaction = Redaction(studio.settings, owners)

    def build(self) -> None:
        """Add the closed dialog to the open Blocks."""
        self.shown = gr.HTML(
            html_template=_frame(),
            js_on_load=asset("compare.js"),
            elem_id="compare",
            apply_default_css=False,
        )

    def show(self, request: gr.Request, event: gr.EventData) -> tuple[Any, str]:
        """Return the dialog's content for the two takes that the event names, or an error's card."""
        told = event._data.get("takes") if isinstance(event._data, dict) else None
        try:
            if not isinstance(told, list) or len(told) != len(NAMES):
                raise RequestError(texts.TWO_ARE_COMPARED, texts.TWO_ARE_COMPARED_HINT)
            owner = self._owners.of(request)
            left, right = (self._studio.takes.get(str(take), owner) for take in told)
            return self._content(left, right), ""
        except OSError:
            problem: StudioError = RequestError(texts.ONE_IS_GONE, texts.ONE_IS_GONE_HINT)
        except StudioError as error:
            problem = error
        return gr.skip(), self._redaction.error(problem)

    def _content(self, left: TakeRecord, right: TakeRecord) -> str:
        """Return the dialog's content; a random number in it makes the dialog open again for the same two takes."""
        sets = {each.id: translated(each.label) for each in get_registry(self._studio.settings).sets.values()}
        told = facts(left, sets), facts(right, sets)
        labels = list(dict.fromkeys([*told[0], *told[1]]))
        rows = [(label, told[0].get(label, texts.NOT_SAID), told[1].get(label, texts.NOT_SAID)) for label in labels]
        differing = sum(row[1] != row[2] for row in rows)
        summary = texts.DIFFERING.format(count=differing) if differing else texts.NOTHING_DIFFERS
        screens = "".join(map(self._screen, NAMES, (left, right)))
        columns = "".join(_column(name, rows, index) for index, name in enumerate(NAMES, 1))
        return (
            f'<div class="body" data-shown="{secrets.token_hex(4)}" data-fps="{left.clip.get("fps", 24)}">'
            f'{screens}{_bar()}<p class="differing">{summary}</p>{columns}</div>'
        )

    def _screen(self, name: str, take: TakeRecord) -> str:
        source = escape(address(self._studio.takes.path(take)))
        title = texts.CLIP.format(name=name)
        if (guess_type(take.file)[0] or "").startswith("image"):
            shown = f'<img src="{source}" alt="{title}">'
        else:
            clip = take.clip
            shown = (
                f'<video src="{source}" data-frames="{clip.get("frames", 0)}" data-fps="{clip.get("fps", 0)}"'
                f' aria-label="{title}" preload="auto" playsinline disablepictureinpicture></video>'
            )
        return f'<figure class="screen"><figcaption>{title}</figcaption>{shown}</figure>'


def mode_label(mode: str) -> str:
    """Return the label of a mode, or that of custom workflows."""
    return translated(MODES[mode].label) if mode in MODES else words.OWN_WORKFLOW


def facts(take: TakeRecord, sets: Mapping[str, str]) -> dict[str, str]:
    """Return what distinguishes a take from others, by label, in display order; `sets` are the labels of model sets."""
    recipe, clip = take.recipe, take.clip
    params: Mapping[str, Any] = recipe["params"]
    told = {
        texts.FACT_PROMPT: take.prompt,
        texts.FACT_MODE: mode_label(take.mode),
        texts.FACT_SEED: _text(params.get("seed")),
    }
    if preset := recipe.get("preset"):
        told[texts.FACT_PRESET] = translated(all_presets()[preset].label) if preset in all_presets() else str(preset)
    if model_set := recipe.get("model_set"):
        told[texts.FACT_SET] = sets.get(model_set, str(model_set))
    if "width" in clip and "height" in clip:
        told[texts.FACT_SIZE] = texts.PIXELS.format(**clip)
    if "seconds" in clip:
        told[texts.FACT_LENGTH] = texts.LENGTH_IN_FRAMES.format(**clip)
    return told | dict(_lines_of_workflow(params) if "graph" in params else _others(take.mode, params))


def _frame() -> str:
    return (
        '<dialog class="compare-takes" aria-labelledby="compare-title"><div class="head">'
        f'<h2 id="compare-title">{texts.COMPARISON}</h2>'
        f'<button type="button" class="close" aria-label="{words.CLOSE}"></button></div>'
        "${value}</dialog>"
    )


def _others(mode: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the title and text of each parameter that nothing else shows."""
    fields = MODES[mode].params.model_fields if mode in MODES else {}
    for name, value in params.items():
        if name not in _MEASURED:
            yield translated(fields[name].title or name) if name in fields else name, _text(value)


def _lines_of_workflow(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the label and text of each value in a custom workflow, without links."""
    yield texts.FACT_NAME, _text(params.get("name"))
    for node_id, node in params["graph"].items():
        title = node.get("_meta", {}).get("title") or node.get("class_type")
        for name, value in node.get("inputs", {}).items():
            if not isinstance(value, list | dict) and value not in ("", params.get("prompt")):
                yield f"{title} {node_id}: {name}", _text(value)
    for key, name in params.get("files", {}).items():
        yield key, _text(name)


def _text(value: Any) -> str:
    """Return a parameter as text. A file is named by the start of its hash: its own name is private."""
    match value:
        case None | [] | "":
            return texts.NOT_SAID
        case bool():
            return texts.ON if value else texts.OFF
        case list() | tuple():
            return "; ".join(map(_text, value))
        case Mapping():
            return ", ".join(_text(each) for each in value.values())
    kept = _KEPT_FILE.fullmatch(str(value))
    return texts.A_FILE.format(name=kept[1]) if kept else str(value)[:MOST_LETTERS]


def _column(name: str, rows: list[tuple[str, str, str]], index: int) -> str:
    """Return one take's column; beyond the first facts, only those that differ are shown."""
    always = {texts.FACT_PROMPT, texts.FACT_MODE, texts.FACT_SEED, texts.FACT_PRESET, texts.FACT_SIZE}
    lines = "".join(
        _line(row[0], row[index], differs=row[1] != row[2]) for row in rows if row[0] in always or row[1] != row[2]
    )
    return f'<dl class="facts" aria-label="{texts.CLIP.format(name=name)}">{lines}</dl>'


def _line(label: str, value: str, *, differs: bool) -> str:
    mark = f'<span class="unlike"><span aria-hidden="true">≠</span> {texts.DIFFERS}</span>' if differs else ""
    kind = ' class="differs"' if differs else ""
    return f'<div{kind}><dt>{escape(label)} {mark}</dt><dd dir="auto">{escape(value)}</dd></div>'


def _bar() -> str:
    """Return the controls of both clips."""
    sounds = "".join(
        f'<label><input type="radio" name="compare-sound" value="{value}"{" checked" if value == "0" else ""}>'
        f"{text}</label>"
        for value, text in (*((str(index), name) for index, name in enumerate(NAMES)), ("-1", texts.NO_SOUND))
    )
    return (
        '<div class="controls">'
        f'<button type="button" class="back" aria-label="{texts.FRAME_BACK}"></button>'
        f'<button type="button" class="play" data-play="{words.PLAY}" data-pause="{words.PAUSE}"'
        f' aria-label="{words.PLAY}" autofocus></button>'
        f'<button type="button" class="forward" aria-label="{texts.FRAME_FORWARD}"></button>'
        f'<input type="range" class="place" min="0" max="0" step="1" value="0" aria-label="{texts.POSITION}">'
        '<output class="time"></output>'
        f'<div class="sound" role="radiogroup" aria-label="{texts.SOUND_OF}">'
        f"<span>{texts.SOUND_OF}</span>{sounds}</div>"
        f'<label class="repeat"><input type="checkbox">{texts.REPEAT}</label></div>'
    )
