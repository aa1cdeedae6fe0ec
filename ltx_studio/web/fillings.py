"""What a form is to be filled in with, kept on the server until the browser asks for it."""

import secrets
from collections.abc import Mapping
from typing import Any

MOST_FILLINGS = 200
"""That are kept for browsers which have not asked for them."""


class Fillings:
    """Of one form, each by a word that cannot be guessed."""

    def __init__(self) -> None:
        self._kept: dict[str, Mapping[str, Any]] = {}

    def keep(self, updates: Mapping[str, Any]) -> str:
        """Gives the word by which `take` gives `updates`, once; the oldest go when there are too many."""
        word = secrets.token_hex(8)
        self._kept[word] = updates
        for old in list(self._kept)[:-MOST_FILLINGS]:
            self._kept.pop(old, None)
        return word

    def take(self, word: str) -> Mapping[str, Any]:
        """Nothing for a word that is not known, or has been used."""
        return self._kept.pop(word, {})
