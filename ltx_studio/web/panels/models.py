"""The models panel: shows which files a set needs; fetches, checks, repairs and removes them."""

import logging
import time
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing
from typing import Any, TypeAlias

import gradio as gr

from ltx_studio.cancel import CancelToken
from ltx_studio.errors import RequestError, StudioError
from ltx_studio.models import ModelFile, Store, make_plan
from ltx_studio.models.files import Identity
from ltx_studio.models.repair import Repair, repair_of
from ltx_studio.modes import MODES
from ltx_studio.modes.required_models import model_files, removals_of
from ltx_studio.studio import Failed, Studio
from ltx_studio.studio.unforeseen import in_words
from ltx_studio.text.formatting import in_bytes, in_round_bytes
from ltx_studio.web import cards, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.gradio_compat.quiet import AT_ONCE, QUIET
from ltx_studio.web.panels import model_cards, texts
from ltx_studio.web.panels.download_board import DownloadBoard
from ltx_studio.web.panels.memory import MemoryPanel
from ltx_studio.web.panels.model_parts import ModelParts, lay_out
from ltx_studio.web.panels.model_sets import ModelSets
from ltx_studio.web.panels.model_work import Asked, AtWork, Going, checked
from ltx_studio.web.panels.remedies import files_to_fetch
from ltx_studio.web.rail import Rail
from ltx_studio.web.shared import Shared

log = logging.getLogger(__name__)

RELOAD = "() => { setTimeout(() => window.location.reload(), 500); }"
"""Loads the page anew, when the stream of answers has closed: Gradio reports one that is cut off as an error."""

Updates: TypeAlias = dict[Any, Any]
"""Component → its new value or update."""

Work: TypeAlias = Callable[[CancelToken], Iterator[Updates]]


class ModelsPanel:
    """Choose a model set, see its files, get, check and remove them. Each browser tab runs one check at a time."""

    def __init__(self, studio: Studio, owners: Owners, built_for: str, shared: Shared) -> None:
        self._studio, self._settings, self._built_for, self._owners = studio, studio.settings, built_for, owners
        self._redaction = Redaction(studio.settings, owners)
        self._sets = ModelSets(studio, built_for, owners, shared)
        self._at_work, self._asked = AtWork(), Asked()
        self._models, self._board = studio.models, DownloadBoard(studio.models, self._redaction)
        self._parts: ModelParts

    def build(self, rail: Rail) -> None:
        """Add the panel to the open Blocks."""
        self._parts = parts = lay_out(self._settings, self._board, self._built_for)
        MemoryPanel(self._studio, self._redaction).build(rail)
        self._wire(parts, rail)

    def _wire(self, parts: ModelParts, rail: Rail) -> None:
        choice, board, shown = parts.choice, self._board, [*parts.shown, *self._board.outputs]
        looked_at = [*choice, board.seen]
        gr.on([each.change for each in choice], self._show, choice, parts.asked, **QUIET)
        rail.on_open("models", self._ready, looked_at, shown)  # not on load: the page appears sooner without it
        rail.on_close("models", lambda: gr.Timer(active=False), None, [board.timer])
        board.timer.tick(self._look, looked_at, shown, **AT_ONCE)
        board.stop_button.click(self._stop_download, looked_at, [*shown, parts.card], **AT_ONCE)
        work = (
            parts.get.click(self._get, choice, [*parts.asked, *board.outputs], **QUIET),
            parts.sizes.click(self._check_sizes, choice, parts.asked, concurrency_limit=None, **QUIET),
            parts.contents.click(self._check_contents, choice, parts.asked, concurrency_limit=None, **QUIET),
            parts.repair.click(self._repair, None, [*parts.asked, *board.outputs], **QUIET),
            parts.remove_now.click(self._remove, None, parts.asked, **QUIET),
        )
        for done in work:
            # Gradio drops a click while the previous one's handler still runs, so the buttons are enabled after it
            done.then(self._ready, looked_at, shown, **QUIET)
        parts.remove.click(self._ask_to_remove, choice, parts.asked, **QUIET)
        parts.keep.click(self._keep, None, parts.asked, **QUIET)
        parts.stop.click(self._stop, None, [parts.stop], **AT_ONCE)
        parts.use.click(self._use, [parts.chosen], [parts.switched, parts.card], **QUIET)
        # the forms of another set have other presets and sizes; the browser keeps what was written in them
        parts.switched.change(None, None, None, js=RELOAD, **QUIET)

    def wire_fetch(self, asked: Any, wanted: gr.State) -> None:
        """Have an event (``button.click``) fetch files. The panel must be built.

        They are those that a failed job lacked, whose id is in `wanted`, or those whose keys are.
        """
        parts = self._parts
        opened = asked(None, None, None, js="() => window.ltxStudio.toModels()", **QUIET)
        begun = opened.then(self._get_for, [wanted], [*parts.asked, *self._board.outputs], **QUIET)
        begun.then(self._ready, [*parts.choice, self._board.seen], [*parts.shown, *self._board.outputs], **QUIET)

    # The files that are here

    def _files(self, model_set: str, everything: bool) -> tuple[list[ModelFile], Store]:
        store = self._models.store()
        chosen = store.registry.get_set(model_set)
        return model_files(MODES.values(), chosen, store.registry, everything=everything), store

    def _show(self, model_set: str, everything: bool, request: gr.Request) -> Updates:
        """Return the updates after another choice, which closes the open question."""
        shown = self._what_is_here(model_set, everything, request)
        if self._at_work.is_on(str(request.session_hash)):  # work has just begun, and updates the panel when it ends
            return {self._parts.plan: gr.skip()}
        return {**shown, **self._asked_nothing(request), self._parts.card: ""}

    def _ready(self, model_set: str, everything: bool, seen: str, request: gr.Request) -> Updates:
        """Return the updates after work has ended: which files are here, and what can be done next."""
        # in this order: what ends while the files are looked at is still news to the next tick
        downloads, _ = self._board.look(seen, anew=True)
        shown = self._what_is_here(model_set, everything, request)
        if self._at_work.is_on(str(request.session_hash)):
            return {self._parts.plan: gr.skip(), **downloads}
        return {
            **shown,
            **downloads,
            **self._what_is_asked(request),
            self._parts.stop: gr.update(value=words.STOP, interactive=False),
        }

    def _look(self, model_set: str, everything: bool, seen: str, request: gr.Request, *, anew: bool = False) -> Updates:
        """Return the updates of the downloads, and of what is here when anybody's began or ended."""
        downloads, has_turned = self._board.look(seen, anew=anew)
        if has_turned and not self._at_work.is_on(str(request.session_hash)):
            downloads = {**self._what_is_here(model_set, everything, request), **downloads}
        return downloads or {self._parts.plan: gr.skip()}

    def _what_is_here(self, model_set: str, everything: bool, request: gr.Request) -> Updates:
        parts, awake = self._parts, gr.update(interactive=True)
        here = {**dict.fromkeys(parts.controls, awake), parts.get: gr.update(visible=False)}
        try:
            files, store = self._files(model_set, everything)
            plan, chosen = make_plan(files, store), store.registry.get_set(model_set)
            to_fetch = [planned for planned in plan.missing if planned.file.repo]
            is_coming = self._models.bringing(planned.file for planned in to_fetch) is not None
            label = texts.GET.format(missing=in_round_bytes(plan.missing_bytes))
            can_get = plan.fits and not is_coming
            can_use, is_outdated = self._sets.can_use(chosen.id, request), self._sets.is_outdated(chosen.id)
            note = texts.IN_USE if self._sets.is_in_use(chosen.id) else texts.USE_AFTER if to_fetch else ""
            use = words.RELOAD_PAGE if is_outdated else words.USE_SET
            return here | {
                parts.chosen: gr.update(interactive=True, choices=list(self._sets.choices(store))),
                parts.needs: self._sets.needs(chosen, plan, store),
                parts.plan: model_cards.plan(
                    plan, notice=chosen.notice, note=texts.IN_USE_NOW if is_outdated else note
                ),
                parts.get: gr.update(value=label, visible=bool(to_fetch), interactive=can_get),
                parts.use: gr.update(value=use, visible=can_use or is_outdated),
            }
        except Exception as problem:
            return here | {parts.plan: self._problem(problem), parts.needs: "", parts.use: gr.update(visible=False)}

    def _use(self, model_set: str, request: gr.Request) -> Updates:
        """Switch the page to another set; the browser then loads the page anew."""
        parts = self._parts
        try:
            self._sets.use(model_set, request)
        except Exception as problem:
            return {parts.card: self._problem(problem)}
        return {parts.switched: time.time(), parts.card: ""}

    # Downloads, which go on without the page

    def _get(self, model_set: str, everything: bool, request: gr.Request) -> Updates:
        def files() -> tuple[list[ModelFile], str]:
            found, store = self._files(model_set, everything)
            return found, store.registry.get_set(model_set).label

        return self._begin(files, request)

    def _get_for(self, wanted: str | list[str], request: gr.Request) -> Updates:
        def files() -> tuple[list[ModelFile], str]:
            if not isinstance(wanted, str):
                known = self._models.store().registry.files
                return [known[key] for key in wanted if key in known], texts.FILES_OF_JOB
            state = self._studio.jobs.get(wanted, self._owners.of(request)).state
            return files_to_fetch(state.error, self._settings) if isinstance(state, Failed) else [], texts.FILES_OF_JOB

        return self._begin(files, request)

    def _repair(self, request: gr.Request) -> Iterator[Updates]:
        try:
            mending = self._asked.answered(str(request.session_hash), Repair)
        except StudioError as problem:
            yield {**self._asked_nothing(request), self._parts.card: self._problem(problem)}
            return
        title = texts.REPAIR_OF.format(count=len(mending.to_fetch))
        updates = {**self._asked_nothing(request), self._parts.card: ""}
        if mending.to_fetch:
            updates |= self._begin(lambda: (list(mending.to_fetch), title), request, damaged=mending.damaged)
        if mending.others:
            updates[self._parts.card] = self._problem(self._models.store().missing(list(mending.others)))
        yield updates

    def _begin(
        self,
        files: Callable[[], tuple[list[ModelFile], str]],
        request: gr.Request,
        *,
        damaged: Collection[Identity] | None = None,
    ) -> Updates:
        """Have files fetched, and return the updates that show it. `files` returns them, and the download's title."""
        try:
            self._redaction.check_may_fetch()
            wanted, title = files()
            download_id = self._models.get(wanted, title, damaged=damaged)
            self._models.work()
            shown = self._board.show(download_id)
        except Exception as problem:
            return {self._parts.card: self._problem(problem)}
        return {**self._asked_nothing(request), self._parts.card: "", **shown}

    def _stop_download(self, model_set: str, everything: bool, seen: str, request: gr.Request) -> Updates:
        """Stop the download that the tab shows, whoever began it."""
        try:
            self._redaction.check_may_fetch()
            self._board.stop(seen)
            return self._look(model_set, everything, seen, request, anew=True)
        except Exception as problem:
            return {self._parts.card: self._problem(problem)}

    def _check_sizes(self, model_set: str, everything: bool, request: gr.Request) -> Iterator[Updates]:
        yield from self._do(self._checking(model_set, everything, request, contents=False), request)

    def _check_contents(self, model_set: str, everything: bool, request: gr.Request) -> Iterator[Updates]:
        yield from self._do(self._checking(model_set, everything, request, contents=True), request)

    def _checking(self, model_set: str, everything: bool, request: gr.Request, *, contents: bool) -> Work:
        def work(cancel: CancelToken) -> Iterator[Updates]:
            files, store = self._files(model_set, everything)
            files = [file for file in files if store.is_expected(file)]
            if not files:
                yield {self._parts.card: cards.message(texts.NOTHING_TO_CHECK)}
                return
            check = self._models.verify(files, contents=contents)
            verdicts = yield from self._on_card(checked(check, len(files), cancel))
            if verdicts is None:
                return
            mending = repair_of(verdicts, store)
            if mending.files:
                self._asked.ask(str(request.session_hash), mending)
            yield {
                self._parts.card: model_cards.checked(verdicts, bad=len(mending.files), contents=contents),
                **self._what_is_asked(request),
            }

        return work

    def _do(self, work: Work, request: gr.Request) -> Iterator[Updates]:
        """Run work with the panel disabled; closing the tab ends it."""
        parts = self._parts
        try:
            with self._at_work.begin(str(request.session_hash)) as cancel:
                yield {**self._resting(cancel), **self._asked_nothing(request), parts.card: ""}
                for updates in work(cancel):
                    yield {**self._resting(cancel), **self._what_is_asked(request), **updates}
        except Exception as problem:
            yield {parts.card: self._problem(problem)}

    def _resting(self, cancel: CancelToken) -> Updates:
        """Return the buttons' updates while work runs. They are sent repeatedly: an earlier event may answer late."""
        label = words.STOPPING if cancel.cancelled else words.STOP
        return {
            **dict.fromkeys(self._parts.controls, gr.update(interactive=False)),
            self._parts.stop: gr.update(value=label, interactive=not cancel.cancelled),
        }

    def _on_card(self, steps: Generator[str, None, Any]) -> Generator[Updates, None, Any]:
        """Show a stream of cards; return its result."""
        with closing(steps):  # at once when the tab is closed
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    return end.value
                yield {self._parts.card: step}

    def _stop(self, request: gr.Request) -> dict[str, Any]:
        stopping = self._at_work.stop(str(request.session_hash))
        return gr.update(value=words.STOPPING if stopping else words.STOP, interactive=False)

    def _ask_to_remove(self, model_set: str, everything: bool, request: gr.Request) -> Updates:
        """Show what would be removed, and ask for confirmation."""
        parts, asked_nothing = self._parts, self._asked_nothing(request)
        try:
            self._check_may_remove()
            files, store = self._files(model_set, everything)
            wanted, shared = removals_of(files, store, model_set)
        except Exception as problem:
            return {**asked_nothing, parts.card: self._problem(problem)}
        goes = any(each.does_something for each in wanted)
        if goes:
            self._asked.ask(str(request.session_hash), Going(tuple(wanted)))
        note = texts.LOSES_SET if self._sets.is_in_use(model_set) else ""
        freed = in_bytes(sum(each.freed for each in wanted))
        return {
            **self._what_is_asked(request),
            parts.card: model_cards.removal(wanted, shared, note=note),
            parts.remove_now: gr.update(value=texts.REMOVE_NOW.format(freed=freed)),
        }

    def _remove(self, request: gr.Request) -> Updates:
        card = self._parts.card
        try:
            self._check_may_remove()
            done = self._models.remove(self._asked.answered(str(request.session_hash), Going).removals)
        except Exception as problem:
            return {**self._asked_nothing(request), card: self._problem(problem)}
        return {**self._asked_nothing(request), card: model_cards.removed(done)}

    def _keep(self, request: gr.Request) -> Updates:
        return {**self._asked_nothing(request), self._parts.card: cards.message(texts.KEPT_ALL)}

    def _check_may_remove(self) -> None:
        if not self._redaction.is_open:
            raise RequestError(texts.NOT_FOR_ALL, texts.NOT_FOR_ALL_HINT)

    def _asked_nothing(self, request: gr.Request) -> Updates:
        self._asked.forget(str(request.session_hash))
        return self._what_is_asked(request)

    def _what_is_asked(self, request: gr.Request) -> Updates:
        """Return the updates of the buttons that answer; sent again after work: an earlier event may answer late."""
        about = self._asked.about(str(request.session_hash))
        return {
            self._parts.repair: gr.update(visible=isinstance(about, Repair)),
            self._parts.confirm: gr.update(visible=isinstance(about, Going)),
        }

    def _problem(self, problem: Exception) -> str:
        if not isinstance(problem, StudioError):
            log.exception("the models panel failed")
        return self._redaction.error(in_words(problem, self._settings))
