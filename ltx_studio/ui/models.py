"""The part of the page that shows which model files a set needs, and fetches them."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from ltx_studio.cancel import CancelToken
from ltx_studio.errors import StudioError
from ltx_studio.events import Cancelled, Failed, Fetching, Finished, Heartbeat, Waiting
from ltx_studio.models import Plan, Store, ensure_models, get_registry, make_plan
from ltx_studio.models.choose import set_to_fetch
from ltx_studio.modes import MODES
from ltx_studio.modes.needs import model_files
from ltx_studio.settings import Settings
from ltx_studio.ui import cards, words
from ltx_studio.words import WAITING


class ModelsPanel:
    """Choose a set, see what it takes, get it, stop. Each browser tab has at most one download."""

    def __init__(self, settings: Settings, in_use: str) -> None:
        self._settings = settings
        self._in_use = in_use
        self._running: dict[str, CancelToken] = {}

    def build(self, blocks: gr.Blocks) -> None:
        """Add the components to `blocks`, which is open."""
        sets = get_registry(self._settings).sets.values()
        with gr.Accordion(words.MODELS, open=False, elem_id="models"):
            chosen = gr.Dropdown(
                [(model_set.label, model_set.id) for model_set in sets],
                value=set_to_fetch(self._settings),
                label=words.MODEL_SET,
                elem_id="models-set",
            )
            table = gr.HTML(elem_id="models-plan")
            with gr.Row():
                get = gr.Button(words.GET, variant="primary", elem_id="models-get")
                stop = gr.Button(words.STOP, interactive=False, elem_id="models-stop")
            card = gr.HTML(elem_id="models-run")
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        chosen.change(self._show, [chosen], [table, get], **quiet)
        fetching = get.click(self._get, [chosen], [chosen, card, get, stop], concurrency_limit=None, **quiet)
        # Gradio passes over a click while the last one's run is not quite over, so the button comes back after it
        fetching.then(self._ready, [chosen], [chosen, table, get, stop], **quiet)
        stop.click(self._stop, None, [stop], queue=False, **quiet)
        blocks.load(self._show, [chosen], [table, get], **quiet)

    def _plan(self, model_set: str) -> tuple[Plan, Store]:
        store = Store(self._settings)
        chosen = store.registry.get_set(model_set)
        return make_plan(model_files(MODES.values(), chosen, store.registry), store), store

    def _show(self, model_set: str) -> tuple[str, dict[str, Any]]:
        try:
            plan, _ = self._plan(model_set)
        except StudioError as problem:
            return cards.error(problem), gr.update(interactive=False)
        to_fetch = [planned for planned in plan.missing if planned.file.repo]
        note = words.IN_USE if model_set == self._in_use else words.USE_IT.format(id=model_set)
        return cards.plan(plan, note=note), gr.update(interactive=bool(to_fetch) and plan.fits)

    def _get(self, model_set: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Fetch what is missing, telling the components (set, card, get, stop) as it goes."""
        session, frozen = str(request.session_hash), gr.update(interactive=False)
        cancel = self._running[session] = CancelToken()
        try:
            plan, store = self._plan(model_set)
            yield frozen, cards.message(WAITING["hub"]), frozen, gr.update(interactive=True)
            for last in _followed(plan, store, cancel):
                yield gr.skip(), last, gr.skip(), gr.skip()
        except StudioError as problem:
            last = cards.error(problem)
        finally:
            cancel.cancel()
            if self._running.get(session) is cancel:
                del self._running[session]
        yield gr.skip(), last, gr.skip(), gr.skip()

    def _ready(self, model_set: str) -> tuple[Any, ...]:
        """What can be done next."""
        table, button = self._show(model_set)
        return gr.update(interactive=True), table, button, gr.update(value=words.STOP, interactive=False)

    def _stop(self, request: gr.Request) -> dict[str, Any]:
        cancel = self._running.get(str(request.session_hash))
        if cancel is not None:
            cancel.cancel()
        return gr.update(value=words.STOPPING if cancel else words.STOP, interactive=False)


def _followed(plan: Plan, store: Store, cancel: CancelToken) -> Iterator[str]:
    """The card of a download, each time that it has changed."""
    rows: dict[str, Fetching] = {}
    has_changed = False
    for event in ensure_models([planned.file for planned in plan.files], store, cancel):
        match event:
            case Fetching():
                rows[event.file], has_changed = event, True
            case Waiting(reason, note):
                yield cards.message(WAITING[reason], note)
            case Heartbeat() if has_changed:
                has_changed = False
                yield cards.downloads(rows.values())
            case Finished():
                yield cards.message(words.FETCHED)
            case Failed(error):
                yield cards.error(error)
            case Cancelled():
                yield cards.message(words.FETCH_STOPPED)
