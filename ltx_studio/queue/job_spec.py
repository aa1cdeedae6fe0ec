"""One request, checked: the mode, its parameters, the preset and the model set."""

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
"""Files that are named one by one."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What is to be made. Equal specs make equal clips."""

    pocket: ClassVar[Do] = Do.USE_POCKET
    """How one does without the model files of its set."""

    mode: str
    params: Params
    model_set: ModelSet
    preset: str
    fresh: bool = False
    """Whether it verifies a take: it is rendered with nothing that is warm from runs before, and kept out of the
    history. It makes the same clip."""

    @classmethod
    def from_request(cls, mode: str, values: Mapping[str, Any], model_set: ModelSet, preset: str | None = None) -> Self:
        """Check a request from a form, the command line or the API; without a preset, it is the family's usual one.

        Raises:
            RequestError: The mode, the preset, a value or a file is not one that can be used.
        """
        family = model_set.family
        sampling = family.usual_preset if preset is None else family.get_preset(preset)
        return cls(mode, get_mode(mode).parse(values, model_set, sampling), model_set, sampling.id)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], folder: Path, registry: Registry) -> Self:
        """Return what `as_dict` gave, with its files in `folder` and nowhere else.

        Raises:
            RequestError: There is no such mode, model set or preset.
            ValueError: A value is out of range. Whether the files are there is seen later.
        """
        mode, model_set = get_mode(stored["mode"]), registry.get_set(stored["model_set"])
        values = with_former_values(mode.params, stored["params"])
        params = mode.params.model_validate(values, context=model_set.family.geometry)
        preset = model_set.family.get_preset(stored["preset"]).id
        spec = cls(stored["mode"], params, model_set, preset, stored.get("fresh", False))
        return spec.with_files(lambda path, kind: folder / path.name)  # noqa: ARG005

    def as_dict(self) -> dict[str, Any]:
        """For JSON; files are named without their folder."""
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
        """How it is sampled."""
        return self.model_set.family.get_preset(self.preset)

    @property
    def prompt(self) -> str:
        """What the history finds it by."""
        return self.params.prompt

    @property
    def seed(self) -> int:
        return self.params.seed

    def with_seed(self, seed: int) -> Self:
        """The same request with another seed."""
        return replace(self, params=self.params.model_copy(update={"seed": seed}))

    def files(self) -> dict[str, Path]:
        """The files that were given, by parameter: ``image``, ``loras.0``."""
        named = {name: getattr(self.params, name) for name in get_mode(self.mode).media}
        named |= {f"loras.{index}": lora.file for index, lora in enumerate(self.params.loras)}
        return {name: path for name, path in named.items() if path is not None}

    def with_files(self, change: Callable[[Path, Media], Path]) -> Self:
        """The same request with other paths to its files."""
        changed: dict[str, Any] = {
            name: change(path, kind)
            for name, kind in get_mode(self.mode).media.items()
            if (path := getattr(self.params, name)) is not None
        }
        loras = (lora.model_copy(update={"file": change(lora.file, Media.LORA)}) for lora in self.params.loras)
        return replace(self, params=self.params.model_copy(update={**changed, "loras": tuple(loras)}))

    def build(self, prepare: PrepareInput, model_set: ModelSet | None = None) -> Workflow:
        """The finished graph, with another model set's loaders where one is given; `prepare` makes the files ready."""
        return get_mode(self.mode).build(self.params, model_set or self.model_set, self.sampling, prepare)

    def fetch_advice(self, missing: list[ModelFile], registry: Registry) -> Advice:
        """Return how to get the model files that the request misses, and no others."""
        usual = {file.key for file in model_files([get_mode(self.mode)], self.model_set, registry)}
        if len(missing) > _FEW and {file.key for file in missing} <= usual:
            return Advice.to(Do.FETCH_MODE, mode=self.mode, model_set=self.model_set.id)
        return fetch_advice(missing)

    def summary(self) -> str:
        """What will really be made, in words."""
        return get_mode(self.mode).summary(self.params, self.sampling, self.model_set)

    def notes(self, *, keeps_files: bool = True) -> list[str]:
        """Return what one should know before the run, each as a sentence.

        Args:
            keeps_files: Whether the request is queued, which keeps a copy of each file; a preview keeps none.
        """
        mode = get_mode(self.mode)
        notes = mode.notes(self.params, self.sampling, self.model_set)
        return [*notes, *(copy_notes(self.params, mode.media) if keeps_files else ())]

    def steering_notes(self) -> list[str]:
        """Return those of the notes that say whether the control clip steers."""
        return list(steering_notes(self.params, self._size_in_graph(), self.model_set))

    def own_threshold(self) -> float | None:
        """Return the edge threshold if it is not the one that fits the clip, or the clip is gone; otherwise None."""
        try:
            return own_threshold(self.params, self._size_in_graph())
        except RequestError:
            return None

    def _size_in_graph(self) -> tuple[int, int]:
        return get_mode(self.mode).size_in_graph(self.params, self.sampling)
