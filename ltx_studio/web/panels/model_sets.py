"""The choice of a model set: what each needs and whether it suits this machine, and the switch to another one."""

from collections.abc import Iterator

import gradio as gr

from ltx_studio.errors import RequestError
from ltx_studio.families import ModelSet
from ltx_studio.models import Plan, Store, get_registry, make_plan
from ltx_studio.models.needs import needs_of
from ltx_studio.modes import MODES
from ltx_studio.modes.required_models import model_files
from ltx_studio.studio import LOCAL, Studio, will_it_run
from ltx_studio.text.catalogue import translated
from ltx_studio.text.formatting import in_round_bytes
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.panels import model_cards, texts
from ltx_studio.web.shared import Shared


class ModelSets:
    """The sets of one studio.

    Args:
        studio: The studio.
        built_for: The id of the set that this page was built for.
        owners: Who the visitors are.
        shared: Which set is in use, and how it is switched.
    """

    def __init__(self, studio: Studio, built_for: str, owners: Owners, shared: Shared) -> None:
        self._studio, self._built_for, self._owners, self._shared = studio, built_for, owners, shared

    def is_in_use(self, set_id: str) -> bool:
        return set_id == self._shared.in_use.id

    def is_outdated(self, set_id: str) -> bool:
        """Return whether a set is in use, but was switched to after this page was opened: a reload shows it."""
        return self.is_in_use(set_id) and set_id != self._built_for

    def can_use(self, set_id: str, request: gr.Request) -> bool:
        """Return whether the page can be switched to a set by this visitor."""
        return not self.is_in_use(set_id) and self._may_switch(request) and self._is_complete(set_id)

    def use(self, set_id: str, request: gr.Request) -> None:
        """Switch the page to another set, for everybody.

        Raises:
            RequestError: The visitor may not, there is no such set, or files are missing.
            SetupError: The settings file cannot be written.
        """
        if self.is_in_use(set_id):  # another tab was faster
            return
        if not self._may_switch(request):
            raise RequestError(texts.NOT_SWITCHED, texts.NOT_SWITCHED_HINT)
        if not self._is_complete(set_id):
            label = translated(get_registry(self._studio.settings).get_set(set_id).label)
            raise RequestError(texts.INCOMPLETE.format(label=label), texts.INCOMPLETE_HINT)
        self._shared.switch(set_id)

    def _may_switch(self, request: gr.Request) -> bool:
        """Return whether it is the studio's owner, at this machine: everybody gets the set that is switched to."""
        return self._owners.of(request) == LOCAL

    def _is_complete(self, set_id: str) -> bool:
        """Return whether all files are here that the set's loaders need."""
        store = Store(self._studio.settings)
        return all(store.find(file) for file in store.registry.needs(store.registry.get_set(set_id).loaders.nodes))

    def choices(self, store: Store) -> Iterator[tuple[str, str]]:
        """Yield the label, with what is missing, and the id of each set."""
        found = self._studio.hardware()
        best = "" if found is None else will_it_run.recommended(store.registry, found)
        for each in store.registry.sets.values():
            plan = make_plan(model_files(MODES.values(), each, store.registry), store)
            marks = [translated(each.label), _state(plan)]
            marks += [texts.MARK_IN_USE] if self.is_in_use(each.id) else []
            marks += [texts.MARK_RECOMMENDED] if each.id == best else []
            yield texts.BETWEEN_MARKS.join(marks), each.id

    def needs(self, chosen: ModelSet, plan: Plan, store: Store) -> str:
        """Return the card that says what a set needs, and whether it suits this machine."""
        found, needed = self._studio.hardware(), needs_of(chosen, store.registry)
        if found is None:
            return model_cards.needs(chosen, needed, disk=plan.total_bytes)
        return model_cards.needs(
            chosen,
            needed,
            disk=plan.total_bytes,
            seconds=will_it_run.expected_seconds(needed, found),
            best_for=found if will_it_run.recommended(store.registry, found) == chosen.id else None,
            warning=will_it_run.warning(chosen, store.registry, found),
        )


def bytes_to_download(studio: Studio, model_set: ModelSet) -> int:
    """Return how much of a set must be downloaded before it makes clips here; 0 if nothing, or if that is unknown."""
    if studio.hardware() is None:  # other machines run the jobs
        return 0
    store = studio.models.store()
    if all(store.find(file) for file in store.registry.needs(model_set.loaders.nodes)):
        return 0
    plan = make_plan(model_files(MODES.values(), model_set, store.registry), store)
    return sum(planned.size for planned in plan.missing if planned.file.repo)


def _state(plan: Plan) -> str:
    if not plan.missing:
        return texts.INSTALLED.format(size=in_round_bytes(plan.total_bytes))
    if all(planned.file.built for planned in plan.missing):
        return texts.SET_UP
    return texts.GET.format(missing=in_round_bytes(plan.missing_bytes))
