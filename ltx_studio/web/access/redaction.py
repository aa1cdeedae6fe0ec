"""Redaction of this machine's folders: clients on this machine see them, others do not."""

import re
from collections.abc import Iterator
from pathlib import Path

from ltx_studio.errors import RequestError, StudioError
from ltx_studio.models.hub_cache import HubCache
from ltx_studio.settings import Settings
from ltx_studio.web import cards, words
from ltx_studio.web.access.owners import Owners

_BELOW = re.compile(rf"{words.A_FOLDER}/(?:[^/\s]+/)+")
"""Matches subfolders of a redacted folder, existing or not; one with a space in its name is found only if it exists."""

_LONGEST_PATH = 4096
"""In characters: Linux's limit; a text may have a hundred thousand slashes."""


class Redaction:
    """The redaction of one page, by who may open it."""

    def __init__(self, settings: Settings, owners: Owners) -> None:
        self._settings, self._owners = settings, owners

    @property
    def is_open(self) -> bool:
        """Return whether only this machine can open the page."""
        return not self._owners.apart

    def said(self, text: str) -> str:
        """Return a text as it may be shown: without this machine's folders if others can open the page."""
        if not self.is_open:
            for folder in sorted(map(str, self._folders()), key=len, reverse=True):
                before, *after = text.split(folder)
                text = before + "".join(words.A_FOLDER + _from_last_folder(folder, rest) for rest in after)
            text = _BELOW.sub(f"{words.A_FOLDER}/", text)
        return text

    @property
    def may_fetch(self) -> bool:
        """Return whether clients may download model files, which can fill a disk: only here, or with a password."""
        return self.is_open or self._owners.guarded

    def check_may_fetch(self) -> None:
        """Raise unless clients may download model files, and stop downloads.

        Raises:
            RequestError: They may not.
        """
        if not self.may_fetch:
            raise RequestError(words.NOT_FETCHED, words.NOT_FETCHED_HINT)

    def told(self, problem: StudioError) -> StudioError:
        """Return an error as it may be shown; others get no traceback."""
        if self.is_open:
            return problem
        advice = problem.advice and problem.advice.changed(self.said)
        return type(problem)(self.said(problem.message), self.said(problem.hint), advice=advice)

    def error(self, problem: StudioError, summary: str = "") -> str:
        """Return an error's card; `summary` is what was to be made."""
        return cards.error(self.told(problem), summary)

    def _folders(self) -> Iterator[Path]:
        settings = self._settings
        named = [settings.home, *settings.model_dirs, *([settings.comfy_dir] if settings.comfy_dir else [])]
        try:
            named.append(HubCache(settings).folder)
        except StudioError as error:  # the cache cannot be there, but the error contains its path
            named += [Path(error.where)] if error.where else []
        for folder in named:
            yield from {folder, folder.resolve()} - {Path("/")}


def _from_last_folder(folder: str, text: str) -> str:
    """Return the text after a folder's name, without the subfolders at its start that exist."""
    ends = (each.start() for each in re.finditer("/", text[:_LONGEST_PATH]))
    return text[max((end for end in ends if _is_folder(folder + text[:end])), default=0) :]


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except OSError:  # too long for a name
        return False
