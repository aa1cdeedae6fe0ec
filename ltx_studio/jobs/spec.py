"""One request, checked: the mode, its parameters, the preset and the model set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ltx_studio.graph import Workflow
from ltx_studio.media import Staging
from ltx_studio.models import get_model_set
from ltx_studio.modes import FAST, Params, get_mode, get_preset


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

    def summary(self) -> str:
        """What will really be made, in words."""
        return get_mode(self.mode).summary(self.params, get_preset(self.preset), get_model_set(self.model_set))

    def notes(self) -> list[str]:
        """What one should know before the run, each as a sentence."""
        return get_mode(self.mode).notes(self.params, get_preset(self.preset), get_model_set(self.model_set))
