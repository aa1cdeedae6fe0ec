"""A finished take on the page: its video, how it was made, and what to do with it next."""

import logging
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from ltx_studio.errors import StudioError
from ltx_studio.permissions import user_umask
from ltx_studio.studio import Studio, TakeRecord
from ltx_studio.web import cards, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.files import named_copy, private_copy
from ltx_studio.web.gradio_compat.quiet import QUIET

log = logging.getLogger(__name__)

LONGEST_SAID = 60
"""Characters of the prompt in a download's file name."""

OPENERS = {"darwin": "open", "win32": "explorer"}
"""The command that shows a folder, by `sys.platform`; elsewhere xdg-open."""


class TakePanel:
    """Shows one take. The page wires the buttons that fill in forms.

    Attributes:
        take: The take's id; empty when none is shown.
        outputs: The components that `shown` returns values for.
        actions: The buttons that the page wires, by name: ``again``, ``reuse``, ``go_on``.
        send: The list of modes that the take can be sent to.
        favourite: The button that makes the take a favourite, or no longer one.
        deleted: The event that has deleted the take.
    """

    take: gr.State
    send: gr.Dropdown
    favourite: gr.Button
    deleted: Any

    def __init__(self, studio: Studio, owners: Owners, modes: Sequence[tuple[str, str]]) -> None:
        self._studio, self._owners, self._modes = studio, owners, modes
        self.outputs: list[gr.components.Component] = []
        self.actions: dict[str, gr.Button] = {}

    def build(self) -> None:
        """Add the components to the open Blocks."""
        self.take = gr.State("")
        video = gr.Video(
            label=words.RESULT,
            interactive=False,
            autoplay=True,
            loop=True,
            buttons=[],
            visible=False,
            elem_id="clip",
        )
        with gr.Column(visible=False, elem_id="take") as about:
            recipe = gr.HTML(elem_id="recipe")
            with gr.Row(elem_classes=["actions"]):
                for name, label in words.ACTIONS.items():
                    self.actions[name] = gr.Button(label, size="sm", elem_id=f"take-{name.replace('_', '-')}")
            with gr.Row(elem_classes=["actions"]):
                self.send = gr.Dropdown(
                    [(words.SEND_TO, ""), *self._modes],
                    value="",
                    label=words.SEND,
                    show_label=False,
                    container=False,
                    elem_id="take-send",
                    min_width=150,
                )
                download = gr.DownloadButton(words.DOWNLOAD, size="sm", elem_id="take-download")
                favourite = self.favourite = gr.Button(words.KEEP_AS_FAVOURITE, size="sm", elem_id="take-favourite")
                reveal = gr.Button(words.REVEAL, size="sm", elem_id="take-reveal")
                delete = gr.Button(words.DELETE, size="sm", elem_id="take-delete")
                sure = gr.Button(words.DELETE_SURE, size="sm", variant="stop", visible=False, elem_id="take-sure")
        self.changed = gr.Number(0, visible="hidden", elem_id="take-changed", label="changed")
        self.outputs = [self.take, video, about, recipe, download, favourite, reveal, delete, sure, self.send]
        favourite.click(self._favour, [self.take, self.changed], [favourite, self.changed], **QUIET)
        reveal.click(self._reveal, [self.take], [recipe], **QUIET)
        delete.click(lambda: (gr.update(visible=False), gr.update(visible=True)), None, [delete, sure], **QUIET)
        self.deleted = sure.click(self._delete, [self.take, self.changed], [*self.outputs, self.changed], **QUIET)

    def show(self, take_id: str, request: gr.Request) -> tuple[Any, ...]:
        """Return values of the outputs for one of the visitor's takes, or for none if it is gone."""
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

    def shown(self, record: TakeRecord) -> tuple[Any, ...]:
        """Return values of the outputs for a take."""
        path = self._studio.takes.path(record)
        if self._studio.takes.is_missing(record):
            return (record.id, gr.update(value=None, visible=False), gr.update(visible=True),
                    cards.message(f"{words.FILE_GONE} {words.FILE_GONE_HINT}"),
                    gr.update(visible=False), *self._buttons(record))  # fmt: skip
        copy, shown = private_copy(path), gr.update(visible=True)
        named = named_copy(path, download_name(record))
        video, download = gr.update(value=copy, visible=True), gr.update(value=named, visible=True)
        return record.id, video, shown, cards.recipe(record), download, *self._buttons(record)

    def nothing(self) -> tuple[Any, ...]:
        """Return values of the outputs when there is no take to show."""
        return (
            "",
            gr.update(value=None, visible=False),
            gr.update(visible=False),
            "",
            *[gr.skip()] * (len(self.outputs) - 4),
        )

    def _buttons(self, record: TakeRecord) -> tuple[Any, ...]:
        """Return the updates of favourite, reveal, delete, sure and send."""
        return (
            gr.update(value=_favourite(record.favourite)),
            gr.update(visible=not self._owners.apart),  # a folder of this machine is useless elsewhere
            gr.update(visible=True),
            gr.update(visible=False),
            gr.update(value=""),
        )

    def tell_favourite(self, take_id: str, request: gr.Request) -> Any:
        """Return the update of the favourite button, after the history may have changed it."""
        try:
            return gr.update(value=_favourite(self.record(take_id, request).favourite))
        except StudioError:
            return gr.skip()

    def _favour(self, take_id: str, changed: float, request: gr.Request) -> tuple[Any, ...]:
        try:
            record = self.record(take_id, request)
        except StudioError:
            return gr.skip(), gr.skip()
        self._studio.takes.set_favourite(take_id, record.owner, favourite=not record.favourite)
        return gr.update(value=_favourite(not record.favourite)), changed + 1

    def _delete(self, take_id: str, changed: float, request: gr.Request) -> tuple[Any, ...]:
        try:
            self._studio.takes.delete(take_id, self._owners.of(request))
        except StudioError as problem:
            log.info("%s", problem)
        return *self.nothing(), changed + 1

    def _reveal(self, take_id: str, request: gr.Request) -> Any:
        """Show the take in this machine's file manager, or say where it is saved."""
        try:
            record = self.record(take_id, request)
        except StudioError:
            return gr.skip()
        path = self._studio.takes.path(record)
        opener = shutil.which(OPENERS.get(sys.platform, "xdg-open"))
        if opener is None or self._owners.apart:
            said = words.LIES_AT.format(path=path) if not self._owners.apart else ""
        else:
            command, nowhere = [opener, str(path.parent)], subprocess.DEVNULL
            subprocess.Popen(command, stdout=nowhere, stderr=nowhere, umask=user_umask())
            said = words.OPENED.format(path=path.parent)
        return cards.recipe(record, said)


def download_name(record: TakeRecord) -> str:
    """Return a readable file name for a take: the start of its prompt, its mode and its seed."""
    said = re.sub(r"[\W_]+", "-", record.prompt)[:LONGEST_SAID].strip("-").lower()
    parts = (said, record.mode, "" if record.seed is None else str(record.seed))
    return "-".join(filter(None, parts)) + Path(record.file).suffix


def _favourite(is_one: bool) -> str:
    return words.NO_FAVOURITE if is_one else words.KEEP_AS_FAVOURITE
