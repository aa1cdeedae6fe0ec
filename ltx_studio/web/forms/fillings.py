"""Updates that fill in a form, kept on the server until the browser asks for them."""

import secrets
from collections.abc import Mapping
from typing import Any

MOST_FILLINGS = 200
"""The most that are kept for browsers that have not asked for them yet."""


class Fillings:
    """The pending updates of one form, each under a key that cannot be guessed."""

    def __init__(self) -> None:
        self._kept: dict[str, Mapping[str, Any]] = {}

    def keep(self, updates: Mapping[str, Any]) -> str:
        """Keep `updates`, and return the key with which `take` returns them once; the oldest are dropped."""
        word = secrets.token_hex(8)
        self._kept[word] = updates
        for old in list(self._kept)[:-MOST_FILLINGS]:
            self._kept.pop(old, None)
        return word

    def take(self, word: str) -> Mapping[str, Any]:
        """Return the updates for a key and drop them; an empty mapping if the key is unknown or was used."""
        return self._kept.pop(word, {})
