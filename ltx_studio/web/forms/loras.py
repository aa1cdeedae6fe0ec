"""The LoRAs that a form offers: those in the folders of the studio and of the user, and those that were uploaded.

The browser names them by keys: a file's path never comes from it.
"""

import math
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltx_studio.errors import RequestError
from ltx_studio.families import ModelSet
from ltx_studio.media.input_store import is_here
from ltx_studio.models.loras import SUFFIX, LoraCard, find_loras, lora_card
from ltx_studio.models.registry import get_registry
from ltx_studio.modes.fields import MAX_LORAS
from ltx_studio.settings import Settings
from ltx_studio.web import words

Entry = dict[str, Any]

MOST_UPLOADED = 1_000
LONGEST_NAME = 120
_IN_FOLDER, _UPLOADED = "folder:", "file:"


class LoraShelf:
    """The LoRAs that one page offers.

    Args:
        settings: Where the folders are.
        model_set: The set that they must fit.
        uploaded: The uploaded ones, by key, with their names: they stay when another set is switched to.
    """

    def __init__(
        self, settings: Settings, model_set: ModelSet, uploaded: dict[str, tuple[Path, str]] | None = None
    ) -> None:
        self._settings, self._set = settings, model_set
        self._found: dict[str, Path] = {}
        self._uploaded = {} if uploaded is None else uploaded

    def library(self) -> list[Entry]:
        """Return what the list of LoRAs shows, after looking into the folders."""
        found = find_loras(self._settings, get_registry(self._settings), self._set.token_width)
        self._found = {_IN_FOLDER + lora.name: lora.path for lora in found}
        return [_entry(_IN_FOLDER + lora.name, lora.name, lora.card, fits=lora.fits) for lora in found]

    def take_in(self, path: Path, name: str = "") -> Entry:
        """Return the entry of a file: that of the same one in a folder, or of one that was uploaded."""
        key = self._key_in_folder(path)
        if key is None:
            key = _UPLOADED + secrets.token_hex(8)  # nobody guesses the key of another visitor's file
            self._uploaded[key] = (path, name or path.stem)
            for old in list(self._uploaded)[:-MOST_UPLOADED]:
                self._uploaded.pop(old, None)
        return self._named(key)

    def chosen(self, value: Any) -> list[Entry]:
        """Return what a form's list means to a request: the file and strength of each.

        Raises:
            RequestError: The list, or one of its LoRAs, is unknown.
        """
        found = []
        for each in value if isinstance(value, list) else ():
            path = self._path(each.get("key")) if isinstance(each, Mapping) else None
            if path is None:
                name = str(each.get("name", "")) if isinstance(each, Mapping) else ""
                raise RequestError(words.LORA_GONE.format(name=_plain(name)), words.LORAS["again"])
            found.append({"file": path, "strength": each.get("strength", 1.0)})
        return found

    def filled(self, loras: Sequence[tuple[Path, float]]) -> list[Entry]:
        """Return a form's list with the files of an earlier request, their strengths with them."""
        return [{**self.take_in(path), "strength": strength} for path, strength in loras]

    def kept(self, value: Any) -> list[Entry]:
        """Return what of a list that a browser kept can be had here."""
        given = [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
        here = [each for each in given[:MAX_LORAS] if self._path(each.get("key")) is not None]
        return [{**self._named(each["key"]), "strength": _strength(each.get("strength"))} for each in here]

    def _named(self, key: str) -> Entry:
        path, name = self._uploaded.get(key) or (self._found[key], key.removeprefix(_IN_FOLDER))
        card = lora_card(path)
        return _entry(key, name if key in self._found else card.title or name, card)

    def _path(self, key: Any) -> Path | None:
        """Return the file of a key, if it is still here."""
        if not isinstance(key, str):
            return None
        if key.startswith(_UPLOADED):
            path = self._uploaded.get(key, (None, ""))[0]
            return path if path is not None and is_here(path) else None
        if key.startswith(_IN_FOLDER) and key not in self._found:
            self.library()
        path = self._found.get(key)
        return path if path is not None and path.is_file() else None

    def _key_in_folder(self, path: Path) -> str | None:
        real = path.resolve()
        if not self._found:
            self.library()
        return next((key for key, each in self._found.items() if each.resolve() == real), None)


def _entry(key: str, name: str, card: LoraCard, *, fits: bool = True) -> Entry:
    triggers = [_plain(each) for each in card.triggers]
    return {
        "key": key, "name": _plain(name), "title": _plain(card.title), "base": _plain(card.base),
        "triggers": triggers, "fits": fits, "strength": 1.0,
    }  # fmt: skip


def _plain(text: str) -> str:
    """Return a text without quotes, in which it could claim to be the address of a file that the page shows."""
    return text.replace('"', "'").removesuffix(SUFFIX)[:LONGEST_NAME]


def _strength(value: Any) -> float:
    is_one = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return min(max(float(value), -4.0), 4.0) if is_one else 1.0
