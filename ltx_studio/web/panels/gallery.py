"""The history on the page: takes as cards that visitors search, open, star, mark for comparison, and prune."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr

from ltx_studio.errors import RequestError, StudioError
from ltx_studio.modes import MODES
from ltx_studio.studio import Page, Room, Studio, WorkflowSpec
from ltx_studio.text.catalogue import translated
from ltx_studio.text.formatting import GIGABYTE, in_bytes
from ltx_studio.web import cards, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.access.values import told
from ltx_studio.web.files import asset
from ltx_studio.web.gradio_compat.quiet import QUIET
from ltx_studio.web.panels import take_cards
from ltx_studio.web.panels.compare import Compare

PAGE = 24
MOST_ANEW = 10 * PAGE
"""The most takes that are reloaded after a run, when a visitor has asked for more pages."""
LONGEST_SEARCH = 200
LONGEST_NUMBER = 18
MOST_TAGS_SENT, LONGEST_TAG_SENT = 100, 1000
"""Of a take, from a browser; the history accepts far less, and says so."""


class Gallery:
    """The visitor's takes. Built once, inside an open Blocks.

    Attributes:
        chosen: The take that the visitor opened, and how many were opened so far: ``(id, count)``, so that opening the
            same one again is a change too. ``("", 0)`` before the first.
        dropped: The takes of a batch that were deleted because others were kept, after how often that was done.
        starred: The event that has changed whether a take is a favourite.
        inputs: The inputs of `show`.
        outputs: The outputs of `show`.
    """

    chosen: gr.State
    dropped: gr.State
    starred: Any
    inputs: list[gr.components.Component]
    outputs: list[gr.components.Component]

    def __init__(self, studio: Studio, owners: Owners) -> None:
        self._studio, self._owners = studio, owners
        self._redaction = Redaction(studio.settings, owners)
        self._compare = Compare(studio, owners)

    def build(self, blocks: gr.Blocks) -> None:
        """Add the panel to the open `blocks`."""
        search, mode, favourites = _filters()
        said = gr.HTML(elem_id="history-said", apply_default_css=False)
        grid = gr.HTML(
            html_template=_frame(),
            js_on_load=asset("gallery.js"),
            page={},
            clip={},
            tagged={},
            elem_id="history-takes",
            apply_default_css=False,
        )
        self._build_room(grid, [search, mode, favourites])
        self._compare.build()
        count, self.chosen, self.dropped = gr.State(PAGE), gr.State(("", 0)), gr.State((0, ()))
        filters: list[gr.components.Component] = [search, mode, favourites]
        self.inputs, self.outputs = [*filters, count], [grid]
        # not `input`, which Gradio does not fire when text is pasted
        search.change(self._first, filters, [grid, count], trigger_mode="always_last", **QUIET)
        gr.on([mode.input, favourites.input], self._first, filters, [grid, count], **QUIET)
        blocks.load(self.show, self.inputs, self.outputs, **QUIET)
        # several may run at once: Gradio would drop the second
        grid.opened(self._open, [self.chosen], [self.chosen, said], trigger_mode="multiple", **QUIET)
        self.starred = grid.favour(self._favour, None, [said], trigger_mode="multiple", **QUIET)
        grid.hovered(self._play, None, [grid], trigger_mode="multiple", **QUIET)
        grid.tag(self._tag, None, [said, grid], trigger_mode="multiple", **QUIET)
        grid.others(self._drop, [self.dropped, *self.inputs], [self.dropped, grid], **QUIET)
        grid.more(self._more, self.inputs, [grid, count], **QUIET)
        grid.reset(self._reset, None, [*filters, grid, count], **QUIET)
        grid.compare(self._compare.show, None, [self._compare.shown, said], **QUIET)

    def _build_room(self, grid: gr.HTML, filters: list[gr.components.Component]) -> None:
        """Add the accordion for pruning takes; it shows how many would be deleted before it deletes them."""
        with gr.Accordion(words.MAKE_ROOM, open=False, elem_id="make-room") as fold:
            room = gr.HTML(elem_id="room", apply_default_css=False)
            # text fields: Gradio sends an empty number as 0, which would mean all takes
            keep = gr.Textbox("", label=words.KEEP_NEWEST, max_length=12, elem_id="keep-newest")
            size = gr.Textbox("", label=words.KEEP_GB, max_length=12, elem_id="keep-gb")
            look = gr.Button(words.LOOK_AT_ROOM, elem_id="look-at-room")
            asked = gr.HTML(elem_id="room-asked", apply_default_css=False)
            with gr.Row():
                delete = gr.Button(words.DELETE_THEM, variant="stop", visible=False, elem_id="room-delete")
                spare = gr.Button(words.KEEP_THEM, visible=False, elem_id="room-keep")
        sure, told = gr.State(None), [asked, delete, spare]
        fold.expand(self._room, None, [room], **QUIET)
        look.click(self._look, [keep, size], [*told, sure], **QUIET)
        spare.click(_nothing_asked, None, told, **QUIET)
        delete.click(self._prune, [keep, size, sure, *filters], [*told, sure, room, grid], **QUIET)

    def show(self, search: str, mode: str, favourites: bool, count: int, request: gr.Request) -> str:
        """Return the newest takes that match, as many as the visitor has asked for."""
        return self._cards(request, search, mode, favourites, limit=min(count, MOST_ANEW))

    def _first(self, search: str, mode: str, favourites: bool, request: gr.Request) -> tuple[str, int]:
        """Return the first page after the filter changed."""
        return self._cards(request, search, mode, favourites), PAGE

    def _reset(self, request: gr.Request) -> tuple[Any, ...]:
        return "", "", False, self._cards(request, "", "", favourites=False), PAGE

    def _more(
        self, search: str, mode: str, favourites: bool, count: int, request: gr.Request, event: gr.EventData
    ) -> tuple[dict[str, Any], int]:
        """Return the next page, which the browser inserts after the card that the event names."""
        after = told(event, "after")
        after = after if _is_number(after) else ""  # it is sent back, and an address in it would become the visitor's
        page = self._page(request, search, mode, favourites, before=int(after) if after else None)
        return gr.update(page={"after": after, "html": self._items(page)}), count + PAGE

    def _page(self, request: gr.Request, search: str, mode: str, favourites: bool, **options: Any) -> Page:
        asked = search[:LONGEST_SEARCH].encode("utf-8", "ignore").decode()  # SQLite refuses half an emoji
        return self._studio.takes.page(
            self._owners.of(request), search=asked, mode=mode or None, favourites=favourites,
            **({"limit": PAGE} | options),
        )  # fmt: skip

    def _cards(self, request: gr.Request, search: str, mode: str, favourites: bool, limit: int = PAGE) -> str:
        page = self._page(request, search, mode, favourites, limit=limit)
        if page.takes:
            count = words.SHOWN.format(count=len(page.takes))
            return (
                f'<p class="unseen">{count}</p>'
                f'<ul class="takes" aria-label="{words.TAKES_OF_YOURS}">{self._items(page)}</ul>'
            )
        if search.strip() or mode or favourites:
            return _empty(words.NOTHING_FITS, words.NOTHING_FITS_HINT, words.SHOW_ALL)
        return _empty(words.NOTHING_MADE, words.NOTHING_MADE_HINT)

    def _items(self, page: Page) -> str:
        """Return the cards, and the button for the next page if there is one."""
        more = f'<li class="next"><button type="button" class="more">{words.MORE}</button></li>'
        return take_cards.items(self._studio, page.takes) + (more if page.before is not None else "")

    def _open(self, last: tuple[str, int], request: gr.Request, event: gr.EventData) -> tuple[Any, ...]:
        try:
            take = self._studio.takes.get(told(event, "take"), self._owners.of(request))
        except StudioError as problem:
            return gr.skip(), self._redaction.error(problem)
        return (take.id, last[1] + 1), ""

    def _play(self, request: gr.Request, event: gr.EventData) -> Any:
        """Return the clip of a card at which the visitor looks."""
        try:
            take = self._studio.takes.get(told(event, "take"), self._owners.of(request))
            return gr.update(clip={"take": take.id, "html": take_cards.clip(self._studio, take)})
        except (RequestError, FileNotFoundError):  # the card keeps its picture; opening it says what is wrong
            return gr.skip()

    def _tag(self, request: gr.Request, event: gr.EventData) -> tuple[Any, Any]:
        """Replace a take's tags, and return those that it has now."""
        given = event._data.get("tags") if isinstance(event._data, dict) else None
        tags = [str(tag)[:LONGEST_TAG_SENT] for tag in given[:MOST_TAGS_SENT]] if isinstance(given, list) else []
        owner, problem = self._owners.of(request), ""
        try:
            self._studio.takes.tag(told(event, "take"), owner, tags)
        except StudioError as error:
            problem = self._redaction.error(error)
        try:
            take = self._studio.takes.get(told(event, "take"), owner)
        except StudioError:
            return problem, gr.skip()
        return problem, gr.update(tagged={"take": take.id, "tags": list(take.tags)})

    def _favour(self, request: gr.Request, event: gr.EventData) -> str:
        try:
            on = told(event, "on") == "true"
            self._studio.takes.set_favourite(told(event, "take"), self._owners.of(request), favourite=on)
        except StudioError as problem:
            return self._redaction.error(problem)
        return ""

    def _drop(
        self, last: tuple[int, Sequence[str]], search: str, mode: str, favourites: bool, count: int,
        request: gr.Request, event: gr.EventData,
    ) -> tuple[Any, str]:  # fmt: skip
        """Delete those takes of a batch that the visitor does not keep; they can be put back for a while."""
        given = event._data.get("takes") if isinstance(event._data, dict) else None
        takes = [str(take) for take in given[:MOST_ANEW]] if isinstance(given, list) else []
        gone = self._studio.takes.delete_unmarked_soon(takes, self._owners.of(request))
        dropped = (last[0] + 1, tuple(gone)) if gone else gr.skip()
        return dropped, self.show(search, mode, favourites, count, request)

    def _room(self, request: gr.Request) -> str:
        """Return the card that says how much space all takes need."""
        room = self._studio.takes.room(self._owners.of(request))
        said = words.ROOM.format(takes=room.takes, favourites=room.favourites, size=in_bytes(room.bytes))
        missing = f" {words.ROOM_MISSING.format(takes=room.missing)}" if room.missing else ""
        return cards.message(said + missing, words.ROOM_HELP)

    def _look(self, keep: str, size: str, request: gr.Request) -> tuple[Any, ...]:
        """Show what would be deleted, and ask. The last output is the question: the limits, and how many takes."""
        try:
            limits = _limits(keep, size)
            if limits == (None, None):
                return *_asked(cards.message(words.SAY_HOW_MANY)), None
            going = self._studio.takes.prunable(self._owners.of(request), keep=limits[0], keep_bytes=limits[1])
        except StudioError as problem:
            return *_asked(self._redaction.error(problem)), None
        return *_asked_for(going), (*limits, going.takes)

    def _prune(
        self,
        keep: str,
        size: str,
        sure: tuple[int | None, int | None, int] | None,
        search: str,
        mode: str,
        favourites: bool,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        """Delete what was confirmed; if the fields or the history have changed since, ask again."""
        *asked, now = self._look(keep, size, request)
        if now is None or now != sure:
            return *asked, now, gr.skip(), gr.skip()
        gone = self._studio.takes.prune(self._owners.of(request), keep=now[0], keep_bytes=now[1])
        told = _asked(cards.message(words.DELETED.format(takes=len(gone))))
        return *told, None, self._room(request), self._cards(request, search, mode, favourites)


def _filters() -> tuple[gr.Textbox, gr.Dropdown, gr.Checkbox]:
    search = gr.Textbox(
        "",
        label=words.SEARCH,
        placeholder=words.SEARCH_PLACEHOLDER,
        max_length=LONGEST_SEARCH,
        elem_id="history-search",
    )
    modes = [(words.ALL_MODES, ""), *((translated(mode.label), mode.id) for mode in MODES.values())]
    mode = gr.Dropdown(
        [*modes, (words.OWN_WORKFLOW, WorkflowSpec.mode)], value="", label=words.FILTER_MODE, elem_id="history-mode"
    )
    return search, mode, gr.Checkbox(label=words.ONLY_FAVOURITES, value=False, elem_id="history-favourites")


def _words() -> Mapping[str, str]:
    """Return the texts that the browser's part writes."""
    return {
        "today": words.TODAY,
        "yesterday": words.YESTERDAY,
        "sheet": words.SHEET_OF,
        "other": words.DELETE_OTHER,
        "others": words.DELETE_OTHERS,
        "tags": words.TAGS,
        "add": words.ADD_TAG,
        "remove": words.REMOVE_TAG,
        "done": words.TAGS_DONE,
    }


def _frame() -> str:
    """Return the template: `value` is inserted unchanged, and what looks like a template in a prompt stays text."""
    return (
        f'<div class="takes-bar" data-words="{escape(json.dumps(_words()))}">'
        f'<button type="button" class="compare" disabled>{words.COMPARE}</button>'
        f'<button type="button" class="unmark" hidden>{words.UNMARK}</button>'
        f'<p class="marks" data-none="{words.MARK_TWO}" data-some="{words.MARKED}">{words.MARK_TWO}</p>'
        "</div>${value}"
    )


def _empty(what: str, hint: str, button: str = "") -> str:
    pressed = f'<button type="button" class="reset">{button}</button>' if button else ""
    return (
        f'<div class="card nothing"><p class="what" data-say>{what}</p><p class="hint" data-say>{hint}</p>'
        f"{pressed}</div>"
    )


def _is_number(text: str) -> bool:
    """Return whether it may be a take's number, which SQLite keeps in 64 bits."""
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER


def _limits(keep: str, size: str) -> tuple[int | None, int | None]:
    return _number(keep, 1), _number(size, GIGABYTE)


def _number(text: str, unit: int) -> int | None:
    """Return a limit as whole takes or bytes, or None for an empty field.

    Raises:
        RequestError: The text is not a finite number.
    """
    if not text.strip():
        return None
    try:
        return int(float(text.strip().replace(",", ".")) * unit)
    except (ValueError, OverflowError):
        raise RequestError(words.NO_NUMBER.format(text=text), words.NO_NUMBER_HINT) from None


def _asked(card: str) -> tuple[Any, ...]:
    """Return the card with both buttons hidden: there is nothing to confirm."""
    return card, gr.update(visible=False), gr.update(visible=False)


def _asked_for(going: Room) -> tuple[Any, ...]:
    if not going.takes:
        return _asked(cards.message(words.NONE_GOES))
    card = cards.message(words.TAKES_WOULD_GO.format(takes=going.takes, size=in_bytes(going.bytes)))
    return card, gr.update(value=words.DELETE_THEM.format(takes=going.takes), visible=True), gr.update(visible=True)


def _nothing_asked() -> tuple[Any, ...]:
    return _asked("")
