"""A finished take on the page: its video, how it was made, and what to do with it next."""

import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ltx_studio.errors import RequestError, StudioError
from ltx_studio.families import ModelSet
from ltx_studio.modes import MODES, TUNING
from ltx_studio.permissions import user_umask
from ltx_studio.studio import Studio, TakeRecord
from ltx_studio.text.catalogue import translated
from ltx_studio.web import cards, hidden, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.files import named_address
from ltx_studio.web.gradio_compat.quiet import QUIET
from ltx_studio.web.panels.screen import Screen, Updates, acts, clip, slate

log = logging.getLogger(__name__)

LONGEST_SAID = 60
"""Characters of the prompt in a download's file name."""

UNDO_MARGIN = 10
"""Seconds before the file of a deleted take goes in which the page no longer offers to put it back."""

QUALITY = "quality"

MOST_BYTES_SAID = 120
"""Bytes of it: most file systems take 255 for a name."""

OPENERS = {"darwin": "open", "win32": "explorer"}
"""The command that shows a folder, by `sys.platform`; elsewhere xdg-open."""


class TakePanel:
    """Shows one take on the screen, and below it what to do with it. The page wires what fills in forms.

    Attributes:
        take: The take's id; empty when none is shown.
        about: The buttons, and how the take was made. It has an event for each of `words.ACTIONS`, and ``send``.
        changed: Changes whenever the history has to be read again.
        outputs: The components that `shown` returns updates for, with those of the screen.
        deleted: The event that has deleted the take.
    """

    take: gr.State
    about: gr.HTML
    changed: gr.Number
    deleted: Any

    def __init__(self, studio: Studio, owners: Owners, screen: Screen, model_set: ModelSet) -> None:
        self._studio, self._owners, self._screen, self._model_set = studio, owners, screen, model_set
        self.outputs: list[gr.components.Component] = []

    def build(self) -> None:
        """Add the components to the open Blocks; the screen must be built."""
        self.take = gr.State("")
        names = (*words.ACTIONS, "send", "favour", "reveal", "delete")
        self.about = gr.HTML("", elem_id="take", js_on_load=acts(*names), apply_default_css=False)
        self.changed = hidden.number("take-changed", "changed")
        self.outputs = [self.take, self.about]
        often: Any = {"trigger_mode": "multiple", **QUIET}
        self.about.favour(self._favour, [self.take, self.changed], [*self.outputs, self.changed], **often)
        self.about.reveal(self._reveal, [self.take], [self.about], **QUIET)
        gone = [*self.outputs, *self._screen.outputs, self._screen.told, self._screen.toast, self.changed]
        self.deleted = self.about.delete(self._delete, [self.take, self.changed], gone, **QUIET)

    def show(self, take_id: str, request: gr.Request) -> Updates:
        """Return updates that show one of the visitor's takes, or none if it is gone."""
        try:
            return self.shown(self.record(take_id, request))
        except StudioError:
            return self.nothing()

    def record(self, take_id: str, request: gr.Request) -> TakeRecord:
        """Return one of the visitor's takes.

        Raises:
            RequestError: The take does not exist, or belongs to another owner.
        """
        return self._studio.takes.get(take_id, self._owners.of(request))

    def path(self, record: TakeRecord) -> Path:
        """Return the path of a take's video file."""
        return self._studio.takes.path(record)

    def shown(self, record: TakeRecord, *, is_new: bool = False, said: str = "") -> Updates:
        """Return updates that show a take; `said` is a message below it. Only one `is_new` says that it is done."""
        what = (words.DONE if is_new else words.MADE).format(**record.measured)
        updates: Updates = {
            self.take: record.id,
            self.about: self._about(record, said or record.note),
            self._screen.status: cards.status(what, cards.facts_of(record), title=words.TITLE_DONE if is_new else ""),
            self._screen.stop: gr.update(visible=False),
            self._screen.going: "",
        }
        if self._studio.takes.is_missing(record):
            return updates | {self._screen.view: slate(f"{words.FILE_GONE} {words.FILE_GONE_HINT}")}
        poster, size = self._studio.takes.poster(record.id), record.clip
        tall = size.get("height", 0) > size.get("width", 0)
        name = f"{words.RESULT}: {record.prompt}"
        return updates | {self._screen.view: clip(self.path(record), poster, name, tall=tall)}

    def hidden(self) -> Updates:
        """Return updates that show no take, and leave the screen."""
        return {self.take: "", self.about: ""}

    def nothing(self) -> Updates:
        """Return updates that show no take and an empty screen."""
        return self.hidden() | self._screen.nothing()

    def in_quality(self, record: TakeRecord) -> TakeRecord | None:
        """Return the take as if it had been made in Quality, or None if it was or cannot be."""
        quality = self._model_set.family.presets.get(QUALITY)
        if record.mode not in MODES or quality is None or quality.refusal(self._model_set):
            return None
        if record.recipe.get("preset") == QUALITY:
            return None
        own = {name: value for name, value in record.recipe["params"].items() if name not in TUNING}
        return replace(record, recipe={**record.recipe, "preset": QUALITY, "params": own})

    def _about(self, record: TakeRecord, said: str = "") -> str:
        """Return the action bar, and how the take was made."""
        is_missing = self._studio.takes.is_missing(record)
        buttons = [
            _action(name, label, own=name == "reuse" and record.mode not in MODES and not is_missing)
            for name, label in words.ACTIONS.items()
            if (name != "quality" or self.in_quality(record) is not None) and (name != "go_on" or not is_missing)
        ]
        star = (
            f'<button type="button" id="take-favourite" class="icon star" data-act="favour"'
            f' aria-pressed="{str(record.favourite).lower()}" aria-label="{words.KEEP_AS_FAVOURITE}"'
            f' title="{words.KEEP_AS_FAVOURITE}"></button>'
        )
        more = (
            f'<button type="button" id="take-more" class="icon more" aria-expanded="false" aria-controls="take-menu"'
            f' aria-label="{words.MORE_ACTIONS}" title="{words.MORE_ACTIONS}"></button>'
        )
        download = "" if is_missing else self._download(record)
        return (
            f'<div class="actions" role="group" aria-label="{words.ACTIONS_OF_TAKE}">{"".join(buttons)}'
            f'<span class="icons">{star}{download}{more}</span></div>{self._menu(is_missing=is_missing)}'
            f"{cards.recipe(record, said)}"
        )

    def _download(self, record: TakeRecord) -> str:
        name = download_name(record)
        return (
            f'<a id="take-download" class="icon download" href="{escape(named_address(self.path(record), name))}"'
            f' download="{escape(name)}" aria-label="{words.DOWNLOAD}" title="{words.DOWNLOAD}"></a>'
        )

    def _menu(self, *, is_missing: bool) -> str:
        """Return what the button for more actions shows: other modes, the folder, and what deletes, apart from it."""
        others = [
            _button(f"take-send-{mode.id}", "send", words.SEND_TO.format(mode=translated(mode.label)), mode=mode.id)
            for mode in (() if is_missing else MODES.values())
        ]
        reveal = [] if self._owners.apart else [_button("take-reveal", "reveal", words.REVEAL)]
        delete = _button("take-delete", "delete", words.DELETE)
        return f'<div id="take-menu" hidden>{"".join([*reveal, *others])}<span class="apart">{delete}</span></div>'

    def tell_favourite(self, take_id: str, request: gr.Request) -> Any:
        """Return the update of the take's buttons, after the history may have changed it."""
        try:
            return self._about(self.record(take_id, request))
        except StudioError:
            return gr.skip()

    def _favour(self, take_id: str, changed: float, request: gr.Request) -> Updates:
        try:
            record = self.record(take_id, request)
        except StudioError:
            return self.hidden() | {self.changed: changed + 1}
        self._studio.takes.set_favourite(take_id, record.owner, favourite=not record.favourite)
        return {self.about: self._about(self.record(take_id, request)), self.changed: changed + 1}

    def _delete(self, take_id: str, changed: float, request: gr.Request) -> Updates:
        try:
            self._studio.takes.delete_soon(take_id, self._owners.of(request))
        except RequestError as problem:  # it is gone; that the database cannot be written, the page says
            log.info("%s", problem)
            return self.nothing() | {self.changed: changed + 1}
        return self.nothing() | {self._screen.told: "", **self.deleted_now([take_id]), self.changed: changed + 1}

    def deleted_now(self, takes: Sequence[str]) -> Updates:
        """Return the update of the toast that offers to put deleted takes back."""
        return {self._screen.toast: cards.deleted(takes, self._studio.takes.UNDO_SECONDS - UNDO_MARGIN)}

    def undelete(self, take_id: str, request: gr.Request) -> None:
        """Put a deleted take back.

        Raises:
            RequestError: It is gone for good, or belongs to another owner.
        """
        self._studio.takes.undelete(take_id, self._owners.of(request))

    def _reveal(self, take_id: str, request: gr.Request) -> Any:
        """Show the take in this machine's file manager, or say where it is saved."""
        try:
            record = self.record(take_id, request)
        except StudioError:
            return gr.skip()
        path = self._studio.takes.path(record)
        opener = shutil.which(OPENERS.get(sys.platform, "xdg-open"))
        if opener is None or self._owners.apart or not _has_desktop():
            said = words.LIES_AT.format(path=path) if not self._owners.apart else ""
        else:
            command, nowhere = [opener, str(path.parent)], subprocess.DEVNULL
            subprocess.Popen(command, stdout=nowhere, stderr=nowhere, umask=user_umask())
            said = words.OPENED.format(path=path.parent)
        return self._about(record, said)


def _button(named: str, act: str, label: str, *, mode: str = "") -> str:
    """Return a button that triggers an event; `mode` is passed with it."""
    of_mode = f' data-mode="{mode}"' if mode else ""
    return f'<button type="button" id="{named}" data-act="{act}"{of_mode}>{label}</button>'


def _action(name: str, label: str, *, own: bool = False) -> str:
    """Return a button of the action bar, which shows a sign with a shorter label where there is little room.

    That of an own workflow's clip is taken by the browser, which opens the form of the clip's file: no mode has one.
    """
    kind = "main" if name == "again" else "sign"
    short = f'<small aria-hidden="true">{escape(words.ACTIONS_SHORT[name])}</small>' if kind == "sign" else ""
    return (
        f'<button type="button" id="take-{name.replace("_", "-")}" class="{kind}" data-act="{name}"'
        f'{" data-own" if own else ""} title="{escape(label)}"><span>{escape(label)}</span>{short}</button>'
    )


def _has_desktop() -> bool:
    """Return whether this process can show windows; a server without a desktop may still have the command."""
    if sys.platform in OPENERS:
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def download_name(record: TakeRecord) -> str:
    """Return a readable file name for a take: the start of its prompt, its mode, size and seed."""
    said = re.sub(r"[\W_]+", "-", record.prompt)[:LONGEST_SAID].strip("-").lower()
    size = "{width:g}x{height:g}".format(**record.clip) if "width" in record.clip else ""
    said = said.encode()[:MOST_BYTES_SAID].decode("utf-8", "ignore")
    parts = (said, record.mode, size, "" if record.seed is None else str(record.seed))
    return "-".join(filter(None, parts)) + Path(record.file).suffix
