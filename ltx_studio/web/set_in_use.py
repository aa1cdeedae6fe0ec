"""The model set that the page uses, which a visitor can switch while the studio runs."""

import os
from collections.abc import Callable

from ltx_studio.families import ModelSet
from ltx_studio.models import Store, get_registry
from ltx_studio.settings import Settings, sources

KEY = "model_set"


class SetInUse:
    """The set of the page's forms. Jobs keep the set that they were submitted with.

    Attributes:
        now: The set.
        followers: Called with the new set after a switch.
    """

    def __init__(self, settings: Settings, model_set: ModelSet) -> None:
        self._settings, self.now = settings, model_set
        self.followers: list[Callable[[ModelSet], None]] = []

    def is_complete(self, set_id: str) -> bool:
        """Return whether all files are here that the set's loaders need."""
        store = Store(self._settings)
        return all(store.find(file) for file in store.registry.needs(store.registry.get_set(set_id).loaders.nodes))

    def switch(self, set_id: str) -> None:
        """Use another set, also after a restart.

        Raises:
            RequestError: There is no such set.
            SetupError: The settings file cannot be written; nothing has changed.
        """
        chosen = get_registry(self._settings).get_set(set_id)
        sources.store(self._settings.settings_file, KEY, chosen.id)
        self.now = chosen
        for follow in self.followers:
            follow(chosen)

    def overridden(self) -> str:
        """Return the variable that sets another set at the next start; empty if none does."""
        variable = sources.KEYS[KEY].variable
        return variable if os.environ.get(variable) not in (None, "", self.now.id) else ""
