"""The input of an engine: a finished graph, and the phases in which its progress is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a run that users see as one step.

    Attributes:
        id: A stable identifier, such as ``"decode"``.
        label: The name that users see.
        nodes: The titles, or ids, of its nodes. The phase begins with the first of them.
    """

    id: str
    label: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Workflow:
    """A graph that is ready to run.

    Attributes:
        name: Its name in the log.
        graph: API format, id → node.
        phases: Its phases in execution order.
        latent_frames: Latent frames of the finished clip. A sampler's further frames are guides, which are not worth
            showing. None if unknown.
        preview: The file in ComfyUI's folder ``vae_approx`` with the preview factors for its VAE;
            empty for ComfyUI's own.
    """

    name: str
    graph: Mapping[str, Mapping[str, Any]]
    phases: tuple[Phase, ...] = ()
    latent_frames: int | None = None
    preview: str = ""
