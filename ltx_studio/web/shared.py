"""What all pages of one server share: a switch of the model set builds another page, and open tabs keep theirs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ltx_studio.errors import RequestError
from ltx_studio.families import ModelSet
from ltx_studio.text.catalogue import translated
from ltx_studio.web import words


class OutdatedError(RequestError):
    """The page was built for a set that is no longer in use; it has to be loaded anew."""


def _cannot(_set_id: str) -> None:
    raise AssertionError("nothing to switch")


@dataclass
class Shared:
    """The state of one server.

    Attributes:
        in_use: The model set in use. A tab that was opened before a switch still has the page of another.
        switch: Has the server use another set.
        loras: The uploaded LoRAs: by key, their file and name.
    """

    in_use: ModelSet
    switch: Callable[[str], None] = _cannot
    loras: dict[str, tuple[Path, str]] = field(default_factory=dict)

    def check(self, built_for: ModelSet) -> None:
        """Raise unless the set that a page was built for is in use.

        Raises:
            OutdatedError: Another one is.
        """
        if self.in_use.id != built_for.id:
            raise OutdatedError(words.SET_SWITCHED.format(label=translated(self.in_use.label)), words.SET_SWITCHED_HINT)
