"""Presets: the ways to sample that a model family offers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ltx_studio.families.model_set import ModelSet
from ltx_studio.graph import Graph


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a request changes of its preset; None keeps the preset's own value.

    Attributes:
        steps: Steps of stage 1.
        guidance: Classifier-free guidance of the picture; 1 is off.
        sound_guidance: Classifier-free guidance of the sound; 1 is off.
        stg: Spatio-temporal guidance of picture and sound; 0 is off.
        sampler: ComfyUI's name of the sampler, for every stage.
        schedule: ComfyUI's name of the noise schedule of stage 1, or that of the model family.
    """

    steps: int | None = None
    guidance: float | None = None
    sound_guidance: float | None = None
    stg: float | None = None
    sampler: str | None = None
    schedule: str | None = None


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

    def tunable(self) -> Mapping[str, int | float | str]:
        """Return its values of what `Tuning` can change, by name; what is not named has no effect in it."""
        return {}

    def tuned(self, tuning: Tuning) -> Self:  # noqa: ARG002
        """Return the preset with these changes; those that have no effect in it are ignored."""
        return self

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
