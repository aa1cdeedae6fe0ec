"""One request, checked: the mode, its parameters and the model set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ltx_studio.graph import Workflow
from ltx_studio.models import get_model_set
from ltx_studio.modes import Params, get_mode


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What is to be made. Equal specs make equal clips."""

    mode: str
    params: Params
    model_set: str

    @classmethod
    def from_request(cls, mode: str, values: Mapping[str, Any], model_set: str) -> Self:
        """Check a request from a form, the command line or the API.

        Raises:
            RequestError: The mode, the model set or a value is not one that can be made.
        """
        return cls(mode, get_mode(mode).parse(values, get_model_set(model_set)), model_set)

    def build(self) -> Workflow:
        """The finished graph."""
        return get_mode(self.mode).build(self.params, get_model_set(self.model_set))
