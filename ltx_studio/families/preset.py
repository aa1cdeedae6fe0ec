"""Presets: the ways to sample that a model family offers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from ltx_studio.families.model_set import ModelSet
from ltx_studio.graph import Graph


@dataclass(frozen=True, slots=True)
class Preset(ABC):
    """A way to sample.

    Attributes:
        id: The id that users refer to it by.
        label: The name that users see.
        draft: Whether it ends after stage 1, at half width and height.
    """

    id: str
    label: str
    draft: bool = False

    @property
    @abstractmethod
    def guided(self) -> bool:
        """Return whether the negative prompt has an effect."""

    @abstractmethod
    def refusal(self, model_set: ModelSet) -> str:
        """Return why it cannot be used with `model_set`; empty if it can."""

    @abstractmethod
    def description(self, model_set: ModelSet, *, stages: int) -> str:
        """Return its description in a mode with `stages` sampling stages, and how it differs with `model_set`."""

    @abstractmethod
    def passes(self, model_set: ModelSet, *, stages: int) -> tuple[int, ...]:
        """Return the rows through the model for each sampling stage of a mode that has `stages` of them."""

    @abstractmethod
    def apply(
        self, graph: Graph, model_set: ModelSet, *, sound_is_given: bool, keep_first_sound: bool, refuses: bool
    ) -> None:
        """Modify `graph`, a mode's template with the loaders of `model_set`.

        Args:
            graph: The graph to modify.
            model_set: The model set whose loaders it has.
            sound_is_given: Whether the sound is the user's own.
            keep_first_sound: Whether the sound of stage 1 is final.
            refuses: Whether the user gave a negative prompt.

        Raises:
            RequestError: The model set does not support it.
        """
