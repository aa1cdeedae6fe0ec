"""Advice as data: what a user can do, for each interface to word in its own terms (options, buttons).

An error or a note carries `Advice` beside its plain sentence. The tables with the words are `cli.hints` and
`web.hints`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from string import Formatter
from typing import Any, Self

LONGEST = 4_000
"""The most characters of a sentence or a parameter, either of which may quote users' text."""


OTHERWISE = "{sentence} Or {otherwise}."
"""Joins two remedies."""


class Do(StrEnum):
    """Things to do. The comment after each names its parameters."""

    TRUST = "trust"
    SET_VALUE = "set_value"  # wanted, given (NODE.INPUT=VALUE)
    CHANGE_VALUE = "change_value"  # key
    GIVE_WORKFLOW_FILE = "give_workflow_file"  # key
    NAME_MODEL = "name_model"  # given (NODE.INPUT=FILE)
    GIVE_FILE = "give_file"  # field, mode
    SEE_MODE = "see_mode"  # mode
    NAME_MODE = "name_mode"
    CHOOSE_OUT = "choose_out"

    SET_UP = "set_up"
    SET_UP_COMFYUI = "set_up_comfyui"
    SET_UP_NODES = "set_up_nodes"
    SET_UP_POCKET = "set_up_pocket"
    RESTORE_POCKET = "restore_pocket"

    GET_MODELS = "get_models"
    FETCH_MODELS = "fetch_models"  # the error's files
    FETCH_MODE = "fetch_mode"  # mode, model_set
    PLACE_MODEL = "place_model"  # file, place
    LIST_MODELS = "list_models"
    MOVE_ASIDE = "move_aside"
    FREE_SPACE = "free_space"
    VERIFY_MODELS = "verify_models"
    REPAIR_MODEL = "repair_model"  # file

    USE_SET = "use_set"  # model_set
    USE_POCKET = "use_pocket"
    USE_POCKET_FILES = "use_pocket_files"

    RETRY_JOB = "retry_job"
    RETRY_SMALLER = "retry_smaller"
    LIST_DOWNLOADS = "list_downloads"
    LIST_JOBS = "list_jobs"
    LIST_TAKES = "list_takes"
    GIVE_INPUT = "give_input"  # name, sha256
    GIVE_RIGHT_INPUT = "give_right_input"  # name
    REPAIR_DATABASE = "repair_database"
    KEEP_CLIP = "keep_clip"  # where
    FORGET_MISSING = "forget_missing"  # count
    BRING_BACK_FILES = "bring_back_files"  # folder, count
    PRUNE_TAKES = "prune_takes"
    REPAIR_HISTORY = "repair_history"


PHRASES = (Do.USE_POCKET, Do.USE_POCKET_FILES)
"""Values for `Advice.otherwise`, worded as the end of a sentence that begins with "Or"."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about an error or a note.

    Attributes:
        do: The thing to do.
        given: Its parameters, by name.
        otherwise: Another thing that would help, one of `PHRASES`.
    """

    do: Do
    given: tuple[tuple[str, str], ...] = ()
    otherwise: Do | None = None

    @classmethod
    def to(cls, do: Do, /, **given: str) -> Self:
        """Return the advice to do something; long parameters are shortened."""
        return cls(do, tuple((name, shortened(value)) for name, value in given.items()))

    def changed(self, change: Callable[[str], str]) -> Self:
        """Return the same advice with each parameter changed."""
        return replace(self, given=tuple((name, change(value)) for name, value in self.given))

    def worded(
        self, words: Mapping[Do, str], *, formatter: Formatter | None = None, joined: str = OTHERWISE, **more: Any
    ) -> str:
        """Return the advice in the words of an interface; empty if it has no words for it.

        Args:
            words: Sentences with parameters in braces.
            formatter: Fills in the parameters; may support its own conversions.
            joined: The sentence that joins two remedies.
            more: Further parameters.
        """
        filled = formatter or Formatter()
        try:
            sentence = filled.vformat(words[self.do], (), {**more, **dict(self.given)})
            if self.otherwise is not None:
                sentence = joined.format(sentence=sentence, otherwise=words[self.otherwise])
            return shortened(sentence)
        except KeyError:  # an interface without words for it, or parameters of another version
            return ""

    def to_dict(self) -> dict[str, Any]:
        """Return the advice as built-in types."""
        otherwise = None if self.otherwise is None else self.otherwise.value
        return {"do": self.do.value, "given": dict(self.given), "otherwise": otherwise}

    @classmethod
    def from_dict(cls, stored: object) -> Self | None:
        """Return the advice that `to_dict` stored; None if it is damaged or of a newer studio."""
        if not isinstance(stored, Mapping) or not isinstance(stored.get("given", {}), Mapping):
            return None
        given, otherwise = stored.get("given", {}), stored.get("otherwise")
        if not all(isinstance(text, str) for pair in given.items() for text in pair):
            return None
        try:
            return cls(
                Do(str(stored.get("do"))), tuple(given.items()), None if otherwise is None else Do(str(otherwise))
            )
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Note:
    """A plain sentence that a user should know before a run, and advice about it."""

    text: str
    advice: Advice | None = None

    def __str__(self) -> str:
        return self.text


def texts_of(notes: Sequence[Note]) -> list[str]:
    """Return the plain sentences."""
    return [note.text for note in notes]


def shortened(text: str) -> str:
    """Return a text without its middle if it is longer than `LONGEST`."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} … {text[-half + 3 :]}"
