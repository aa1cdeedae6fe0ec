"""One request, checked: the mode, its parameters, the preset and the model set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ltx_studio.graph import Workflow
from ltx_studio.media import Staging
from ltx_studio.models import ModelFile, get_model_set, get_registry
from ltx_studio.models.store import fetch_command
from ltx_studio.modes import FAST, Params, get_mode, get_preset
from ltx_studio.modes.needs import model_files

_FEW = 2
"""Files that a command names one by one."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What is to be made. Equal specs make equal clips."""

    mode: str
    params: Params
    model_set: str
    preset: str = FAST.id

    @classmethod
    def from_request(cls, mode: str, values: Mapping[str, Any], model_set: str, preset: str = FAST.id) -> Self:
        """Check a request from a form, the command line or the API.

        Raises:
            RequestError: The mode, the model set, the preset, a value or a file is not one that can be used.
        """
        params = get_mode(mode).parse(values, get_model_set(model_set), get_preset(preset))
        return cls(mode, params, model_set, preset)

    def build(self, stage: Staging) -> Workflow:
        """The finished graph; `stage` makes the user's files ready."""
        return get_mode(self.mode).build(self.params, get_model_set(self.model_set), get_preset(self.preset), stage)

    def fetch_command(self, missing: list[ModelFile]) -> str:
        """The command that fetches the model files that the request misses, and no others."""
        model_set = get_model_set(self.model_set)
        usual = {file.key for file in model_files([get_mode(self.mode)], model_set, get_registry())}
        if len(missing) > _FEW and {file.key for file in missing} <= usual:
            return f"ltx-studio models get --mode {self.mode} --model-set {self.model_set}"
        return fetch_command(missing)

    def summary(self) -> str:
        """What will really be made, in words."""
        return get_mode(self.mode).summary(self.params, get_preset(self.preset), get_model_set(self.model_set))

    def notes(self) -> list[str]:
        """What one should know before the run, each as a sentence."""
        return get_mode(self.mode).notes(self.params, get_preset(self.preset), get_model_set(self.model_set))
