"""The models panel's board of downloads: the same in every tab, kept up to date while the panel is open."""

import contextlib
import hashlib
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import gradio as gr

from ltx_studio.errors import RequestError
from ltx_studio.events import Fetching
from ltx_studio.studio import Download, Models
from ltx_studio.text.catalogue import translated
from ltx_studio.text.phrases import WAITING
from ltx_studio.web import cards, hidden, words
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.panels import model_cards, texts

Updates: TypeAlias = dict[Any, Any]

BUSY_SECONDS, IDLE_SECONDS = 1.0, 3.0
"""Between two updates, with and without a download."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a tab shows: a download's id and state, and a digest of its card and its button."""

    download_id: str
    state: str = ""
    digest: str = ""

    @classmethod
    def read(cls, seen: object) -> "_Shown | None":
        """Return what a browser says it shows; None if that is nothing."""
        parts = seen.split(" ") if isinstance(seen, str) and seen.strip() else []
        return cls(*parts) if 0 < len(parts) <= len(fields(cls)) else None

    def __str__(self) -> str:
        return " ".join((self.download_id, self.state, self.digest))


class DownloadBoard:
    """The card of the download that runs or ended last, with a button that stops it.

    A download belongs to the studio: a tab only shows it, whoever started it, and closing the tab ends nothing.
    The browser says with each look what it shows, because answers may arrive in another order than they were sent.

    Attributes:
        timer: Ticks while the panel is open; the panel answers with `look`.
        stop_button: Stops the download that is shown; hidden from visitors who may not.
        seen: What the browser shows: an input of every `look` and `stop`.
    """

    timer: gr.Timer
    stop_button: gr.Button
    seen: gr.Textbox
    _card: gr.HTML

    def __init__(self, models: Models, redaction: Redaction) -> None:
        self._models, self._redaction = models, redaction

    def build(self) -> None:
        """Add the board to the open Blocks."""
        self._card = gr.HTML(elem_id="models-downloads")
        self.stop_button = gr.Button(texts.STOP_DOWNLOAD, elem_id="models-stop-download", min_width=100, visible=False)
        self.timer = gr.Timer(IDLE_SECONDS, active=False)
        self.seen = hidden.text("models-seen", "seen")

    @property
    def outputs(self) -> list[Any]:
        """The components that `look` updates."""
        return [self._card, self.stop_button, self.timer, self.seen]

    def look(self, seen: object, *, anew: bool = False) -> tuple[Updates, bool]:
        """Return the updates for a tab, none if it shows all of it, and whether a download began or ended.

        Args:
            seen: What the tab shows.
            anew: Return all updates: an answer that is under way may change what the tab shows.
        """
        before = _Shown.read(seen)
        found = self._of(before)
        if found is None:
            return ({self.timer: gr.Timer(IDLE_SECONDS, active=True)} if anew else {}), False
        card = self._card_of(found)
        digest = hashlib.sha256(f"{found.is_stopping} {card}".encode()).hexdigest()[:16]
        now = _Shown(found.id, found.state.name, digest)
        has_turned = before is None or (now.download_id, now.state) != (before.download_id, before.state)
        if now == before and not anew:
            return {}, False
        return self._updates(found, card, now), has_turned

    def show(self, download_id: str) -> Updates:
        """Return the updates that show a download which a tab has just requested."""
        return self.look(download_id, anew=True)[0]

    def stop(self, seen: object) -> None:
        """Stop the download that a tab shows. It may end at once, so call `look` afterwards."""
        shown = _Shown.read(seen)
        if shown is not None:
            self._models.cancel(shown.download_id)

    def _of(self, before: _Shown | None) -> Download | None:
        """Return the download to show: the same until its end was shown, then the one that runs; None if none does."""
        active = self._models.active_downloads()
        if before is not None:
            same = next((each for each in active if each.id == before.download_id), None)
            if same is not None:
                return same
            if not active or before.state in ("", "queued", "running"):
                with contextlib.suppress(RequestError):  # its row is forgotten
                    return self._models.download(before.download_id)
        return active[0] if active else None

    def _updates(self, found: Download, card: str, now: _Shown) -> Updates:
        label = words.STOPPING if found.is_stopping else texts.STOP_DOWNLOAD
        return {
            self._card: card,
            self.stop_button: gr.update(
                visible=found.is_active and self._redaction.may_fetch, value=label, interactive=not found.is_stopping
            ),
            self.timer: gr.Timer(BUSY_SECONDS if found.is_active else IDLE_SECONDS, active=True),
            self.seen: str(now),
        }

    def _card_of(self, found: Download) -> str:
        if found.error is not None:
            return self._redaction.error(found.error)
        wait = found.progress.wait
        match found.state.name:
            case "done":
                return cards.message(texts.FETCHED if found.damaged is None else texts.REPAIRED)
            case "cancelled":
                return cards.message(texts.FETCH_STOPPED)
            case "queued":
                return cards.message(translated(WAITING["download"]), texts.FETCH_CLOSE)
        if wait is not None or not found.progress.files:
            said = self._redaction.said(translated(wait.note)) if wait else ""
            return cards.message(translated(WAITING[wait.reason if wait else "hub"]), said or texts.FETCH_CLOSE)
        return model_cards.downloads([self._row(each) for each in found.progress.files], found.title)

    def _row(self, row: Fetching) -> Fetching:
        return replace(row, note=self._redaction.said(row.note))
