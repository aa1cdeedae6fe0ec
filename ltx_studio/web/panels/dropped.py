"""A file that is dropped or pasted anywhere on the page: it goes where it fits, or the visitor is asked where to."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import gradio as gr

from ltx_studio.errors import RequestError, StudioError
from ltx_studio.families import ModelSet
from ltx_studio.media import probe_clip, probe_picture, probe_sound
from ltx_studio.media.extract import write_picture, write_sound
from ltx_studio.modes import MODES, Media
from ltx_studio.studio import Studio, WorkflowSpec
from ltx_studio.text.catalogue import translated
from ltx_studio.web import cards, hidden, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.access.values import told
from ltx_studio.web.files import asset, made
from ltx_studio.web.gradio_compat.quiet import QUIET
from ltx_studio.web.page import Page
from ltx_studio.web.panels import texts

_LISTS = (".txt", ".csv", ".tsv", ".jsonl")
_WORKFLOWS = (".json",)
_LORAS = (".safetensors",)
_PROBES: Mapping[Media, Callable[[Path], Any]] = {
    Media.PICTURE: probe_picture,
    Media.CLIP: probe_clip,
    Media.SOUND: probe_sound,
}
WORKFLOW = "workflow"
"""The place of what carries a workflow to run."""
_FROM_A_CLIP: Mapping[str, tuple[str, str]] = {
    "first": ("i2v", "image"),
    "last": ("i2v", "image"),
    "sound": ("a2v", "audio"),
}
"""Places for a part of a video: the mode, and its field."""
LONGEST_PLACES = 10_000


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that waits for the answer where to put it, or for its panel to open.

    Attributes:
        path: The upload.
        panel: The panel that it goes to, if any.
    """

    path: str
    panel: str = ""


class DropAnywhere:
    """Receives such files; the browser's part is in `assets/drop.js`, the question's in `assets/dropped.js`."""

    def __init__(self, studio: Studio, owners: Owners, page: Page, model_set: ModelSet) -> None:
        self._studio, self._owners, self._page, self._model_set = studio, owners, page, model_set
        self._redaction = Redaction(studio.settings, owners)

    def build(self) -> None:
        """Add what receives files to the open Blocks, outside of any column that is shown and hidden."""
        self._file = gr.File(type="filepath", label=texts.OPEN_FILE, elem_id="restore-file", **hidden.NEVER)
        self._at = hidden.text("dropped-at", "at", max_length=LONGEST_PLACES)
        self._waiting = gr.State(None)
        says = f'data-drop="{texts.DROP_HERE}" data-cancel="{texts.DROP_CANCEL}"'
        # its value has the time, so that the same question twice is a change
        self._ask = gr.HTML(
            {},
            html_template=f'<span id="drop-words" {says}></span>',
            js_on_load=asset("dropped.js"),
            elem_id="dropped",
            apply_default_css=False,
        )

    @staticmethod
    def build_button() -> None:
        """Add a button that does the same with a chosen file, for who cannot drop one."""
        gr.HTML(f'<button type="button" class="open-file">{texts.OPEN_FILE}</button>', apply_default_css=False)

    def wire(self, panels: Mapping[str, gr.File]) -> None:
        """Wire what was built; a file for one of `panels` goes into its field."""
        page, fields = self._page, list(panels.values())
        outputs = [page.run.told, self._ask, self._file, self._waiting, *page.opening]
        js = "(file, at) => [file, window.ltxDrop.place()]"
        taken = self._file.upload(self._take, [self._file, self._at], outputs, js=js, **QUIET)
        chosen = self._ask.choose(self._choose, [self._waiting], outputs, trigger_mode="multiple", **QUIET)
        for each in (taken, chosen):
            each.then(None, None, None, js="() => window.ltxDrop.toTold()", **QUIET)

        def arrived(waiting: Dropped | None) -> list[Any]:
            """Put the file into the panel that was opened for it."""
            name, path = (waiting.panel, waiting.path) if waiting else ("", "")
            return [gr.update(value=path) if each == name else gr.skip() for each in panels]

        there = self._ask.arrived(arrived, [self._waiting], fields, trigger_mode="multiple", **QUIET)
        there.then(None, None, None, js="() => window.ltxDrop.arrived()", **QUIET)

    def _take(self, path: str | None, at: str, request: gr.Request) -> dict[Any, Any]:
        """Put a file where it fits, or ask where to."""
        if path is None:
            return {self._file: None}
        try:
            return {self._file: None, **self._placed(Path(path), _open_fields(at), request)}
        except StudioError as problem:
            return {self._file: None, **self._problem(problem)}

    def _placed(self, path: Path, free: tuple[str, set[str]], request: gr.Request) -> dict[Any, Any]:
        suffix = path.suffix.lower()
        if suffix in _LISTS:
            return self._to_panel(path, "batch")
        if suffix in _WORKFLOWS:
            return self._to_panel(path, WORKFLOW)
        if suffix in _LORAS:
            raise RequestError(texts.DROPPED_LORA.format(name=path.name), texts.DROPPED_LORA_HINT)
        kind = _kind_of(path)
        if kind is Media.CLIP and (restored := self._restored(path, request)):
            return restored
        places = self._places(path, kind, *free)
        fitting = [each for each in places if _is_free(each, *free)]
        if len(fitting) == 1:
            return self._filled(path, fitting[0], places[fitting[0]])
        if len(places) == 1:
            return self._filled(path, *next(iter(places.items())))
        asked = {"title": texts.DROP_WHERE.format(name=path.name), "places": list(places.items()), "now": time.time()}
        return {self._ask: asked, self._waiting: Dropped(str(path)), self._page.run.told: ""}

    def _restored(self, path: Path, request: gr.Request) -> dict[Any, Any] | None:
        """Return the form of a video that was made here, or None if it is another one.

        Raises:
            RequestError: It has a recipe that cannot be read.
        """
        try:
            spec = self._studio.takes.restore(path, self._owners.of(request), self._model_set)
        except RequestError as problem:
            if self._studio.takes.has_recipe(path):
                raise problem from None
            return None
        if isinstance(spec, WorkflowSpec):
            return self._to_panel(path, WORKFLOW)
        filled = self._opening(self._page.fill_from(spec))
        lost = self._page.forms[spec.mode].lost(spec)
        left_out = words.NOT_RESTORED.format(lost="; ".join(lost)) if lost else ""
        return {self._page.run.told: cards.message(texts.RESTORED, left_out), **filled}

    def _places(self, path: Path, kind: Media, mode: str, free: set[str]) -> dict[str, str]:
        """Return where a file of a kind may go, with labels; those of the open mode come first."""
        found = {}
        for each in sorted(MODES.values(), key=lambda each: each.id != mode):
            for name, wanted in each.media.items():
                is_offered = each.params.model_fields[name].is_required() or (each.id == mode and name in free)
                if wanted is kind and is_offered:
                    title = translated(str(each.params.model_fields[name].title))
                    usual = texts.PLACE.format(field=title, mode=translated(each.label))
                    found[f"{each.id}:{name}"] = texts.PLACES.get(f"{each.id}:{name}", usual)
        if kind is Media.CLIP:
            parts = [part for part in _FROM_A_CLIP if part != "sound" or probe_clip(path).has_sound]
            found |= {f"{part}:": texts.PLACES[f"{part}:"] for part in parts}
        if self._carries_workflow(path):
            found[WORKFLOW] = texts.PLACES[WORKFLOW]
        return found

    def _carries_workflow(self, path: Path) -> bool:
        try:
            self._studio.workflows.open(path)
        except StudioError:
            return False
        return True

    def _choose(self, waiting: Dropped | None, event: gr.EventData) -> dict[Any, Any]:
        """Put the file that was asked about into the place that was chosen."""
        place = told(event, "place")
        if waiting is None or not place:
            return {self._waiting: None}
        try:
            path = Path(waiting.path)
            if place == WORKFLOW:
                return self._to_panel(path, WORKFLOW)
            mode, _, name = place.partition(":")
            label = self._places(path, _kind_of(path), mode, {name}).get(place)
            if label is None:
                raise RequestError(words.NOT_UNDERSTOOD, words.RELOAD)
            return {self._waiting: None, **self._filled(path, place, label)}
        except OSError:
            return self._problem(RequestError(texts.DROPPED_GONE, words.NOT_YOURS_HINT))
        except StudioError as problem:
            return self._problem(problem)

    def _filled(self, path: Path, place: str, label: str) -> dict[Any, Any]:
        """Return the updates that open a mode's form with the file in its field."""
        first, _, name = place.partition(":")
        value: Any = path
        if first in _FROM_A_CLIP:
            writers = {
                "first": ("frame.png", partial(write_picture, path, last=False)),
                "last": ("frame.png", partial(write_picture, path, last=True)),
                "sound": ("sound.m4a", partial(write_sound, path)),
            }
            value = made(*writers[first])
            first, name = _FROM_A_CLIP[first]
        filled = self._opening(self._page.fill(first, self._page.forms[first].put({name: value})))
        return {self._page.run.told: cards.message(texts.PLACED.format(name=path.name, place=label)), **filled}

    def _opening(self, values: Any) -> dict[Any, Any]:
        return dict(values) if isinstance(values, Mapping) else dict(zip(self._page.opening, values, strict=True))

    def _to_panel(self, path: Path, panel: str) -> dict[Any, Any]:
        """Have the browser open a panel, and ask for the file then: its field is built when it is opened first."""
        return {
            self._ask: {"panel": panel, "field": f"{panel}-file", "now": time.time()},
            self._waiting: Dropped(str(path), panel),
            self._page.run.told: "",
        }

    def _problem(self, problem: StudioError) -> dict[Any, Any]:
        return {self._page.run.told: self._redaction.error(problem), self._waiting: None}


def _kind_of(path: Path) -> Media:
    """Return what a file is.

    Raises:
        RequestError: It is nothing that a form takes, or broken.
    """
    problems = {}
    for kind, probe in _PROBES.items():
        try:
            probe(path)
        except RequestError as problem:
            problems[kind] = problem
        else:
            return kind
    usual = {"image": Media.PICTURE, "video": Media.CLIP, "audio": Media.SOUND}
    by_name = usual.get((guess_type(path.name)[0] or "").partition("/")[0])
    if by_name is None:
        raise RequestError(texts.DROPPED_UNKNOWN.format(name=path.name), texts.DROPPED_UNKNOWN_HINT)
    raise problems[by_name]


def _is_free(place: str, mode: str, free: set[str]) -> bool:
    """Return whether a place is a field of the open mode that must be filled, and is empty."""
    of, _, name = place.partition(":")
    return of == mode and name in free and MODES[mode].params.model_fields[name].is_required()


def _open_fields(at: str) -> tuple[str, set[str]]:
    """Return the open mode and its empty fields, as the browser tells them."""
    try:
        said = json.loads(at)
        mode, free = str(said["mode"]), [str(each) for each in said["free"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        return "", set()
    return mode, {each.replace("-", "_") for each in free}
