"""One validated request: its mode, parameters, preset and model set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import RequestError
from ltx_studio.families import ModelSet, Preset
from ltx_studio.graph import Workflow
from ltx_studio.media import PrepareInput
from ltx_studio.models import ModelFile, Registry
from ltx_studio.models.store import fetch_advice
from ltx_studio.modes import Media, Params, get_mode
from ltx_studio.modes.former_values import with_former_values
from ltx_studio.modes.inputs import copy_notes
from ltx_studio.modes.required_models import model_files
from ltx_studio.modes.steering import own_threshold, steering_notes

_FEW = 2
"""The number of missing files up to which they are named one by one."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What to make. Equal specs make equal clips."""

    pocket: ClassVar[Do] = Do.USE_POCKET
    """How to do without the model files of its set."""

    mode: str
    params: Params
    model_set: ModelSet
    preset: str
    fresh: bool = False
    """Whether it verifies a take: it is rendered without anything cached by earlier runs, and is kept out of the
    history. It makes the same clip."""

    @classmethod
    def from_request(cls, mode: str, values: Mapping[str, Any], model_set: ModelSet, preset: str | None = None) -> Self:
        """Check a request from a form, the command line or the API; `preset` defaults to the family's usual one.

        Raises:
            RequestError: The mode, the preset, a value or a file cannot be used.
        """
        family = model_set.family
        sampling = family.usual_preset if preset is None else family.get_preset(preset)
        return cls(mode, get_mode(mode).parse(values, model_set, sampling), model_set, sampling.id)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], folder: Path, registry: Registry) -> Self:
        """Return the spec that `as_dict` stored, with its files in `folder` and nowhere else.

        Raises:
            RequestError: The mode, model set or preset does not exist.
            ValueError: A value is out of range. Whether the files exist is not checked here.
        """
        mode, model_set = get_mode(stored["mode"]), registry.get_set(stored["model_set"])
        values = with_former_values(mode.params, stored["params"])
        params = mode.params.model_validate(values, context=model_set.family.geometry)
        preset = model_set.family.get_preset(stored["preset"]).id
        spec = cls(stored["mode"], params, model_set, preset, stored.get("fresh", False))
        return spec.with_files(lambda path, kind: folder / path.name)  # noqa: ARG005

    def as_dict(self) -> dict[str, Any]:
        """Return the request for JSON; files are named without their folder."""
        named = self.with_files(lambda path, kind: Path(path.name))  # noqa: ARG005
        return {
            "mode": self.mode,
            "preset": self.preset,
            "model_set": self.model_set.id,
            "params": named.params.model_dump(mode="json"),
            **({"fresh": True} if self.fresh else {}),
        }

    @property
    def sampling(self) -> Preset:
        """The preset that it is sampled with, as its parameters change it."""
        tuning = self.params.tuning
        if get_mode(self.mode).sound_is_given:  # nothing guides it
            tuning = replace(tuning, sound_guidance=1.0)
        return self.model_set.family.get_preset(self.preset).tuned(tuning)

    @property
    def prompt(self) -> str:
        """The text that the history finds it by."""
        return self.params.prompt

    @property
    def seed(self) -> int:
        return self.params.seed

    def with_seed(self, seed: int) -> Self:
        """Return the same request with another seed."""
        return replace(self, params=self.params.model_copy(update={"seed": seed}))

    def files(self) -> dict[str, Path]:
        """Return the files of the request by parameter: ``image``, ``loras.0``."""
        named = {name: getattr(self.params, name) for name in get_mode(self.mode).media}
        named |= {f"loras.{index}": lora.file for index, lora in enumerate(self.params.loras)}
        return {name: path for name, path in named.items() if path is not None}

    def with_files(self, change: Callable[[Path, Media], Path]) -> Self:
        """Return the same request with other paths to its files."""
        changed: dict[str, Any] = {
            name: change(path, kind)
            for name, kind in get_mode(self.mode).media.items()
            if (path := getattr(self.params, name)) is not None
        }
        loras = (lora.model_copy(update={"file": change(lora.file, Media.LORA)}) for lora in self.params.loras)
        return replace(self, params=self.params.model_copy(update={**changed, "loras": tuple(loras)}))

    def build(self, prepare: PrepareInput, model_set: ModelSet | None = None) -> Workflow:
        """Return the finished graph, with the loaders of `model_set` if given; `prepare` makes the files ready."""
        return get_mode(self.mode).build(self.params, model_set or self.model_set, self.sampling, prepare)

    def fetch_advice(self, missing: list[ModelFile], registry: Registry) -> Advice:
        """Return how to get the model files that the request lacks, and no others."""
        usual = {file.key for file in model_files([get_mode(self.mode)], self.model_set, registry)}
        if len(missing) > _FEW and {file.key for file in missing} <= usual:
            return Advice.to(Do.FETCH_MODE, mode=self.mode, model_set=self.model_set.id)
        return fetch_advice(missing)

    def summary(self) -> str:
        """Describe in words what will actually be made."""
        return get_mode(self.mode).summary(self.params, self.sampling, self.model_set)

    def notes(self, *, keeps_files: bool = True) -> list[str]:
        """Return what the user should know before the run, one sentence each.

        Args:
            keeps_files: Whether the request is queued, which keeps a copy of each file; a preview keeps none.
        """
        mode = get_mode(self.mode)
        notes = mode.notes(self.params, self.sampling, self.model_set)
        return [*notes, *(copy_notes(self.params, mode.media) if keeps_files else ())]

    def steering_notes(self) -> list[str]:
        """Return the notes about whether the control clip steers."""
        return list(steering_notes(self.params, self._size_in_graph(), self.model_set))

    def own_threshold(self) -> float | None:
        """Return the edge threshold if it is not the one that fits the clip, or the clip is gone; otherwise None."""
        try:
            return own_threshold(self.params, self._size_in_graph())
        except RequestError:
            return None

    def _size_in_graph(self) -> tuple[int, int]:
        return get_mode(self.mode).size_in_graph(self.params, self.sampling)
