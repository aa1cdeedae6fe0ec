"""What an engine is given: a finished graph, and the phases that its progress is shown in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a run that a user sees as one step of it.

    Attributes:
        id: A stable word, such as ``"decode"``.
        label: What the user reads.
        nodes: The titles, or ids, of the nodes that belong to it. The phase begins with the first of them.
    """

    id: str
    label: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Workflow:
    """A graph that is ready to run.

    Attributes:
        name: Says in the log what runs.
        graph: API format, id → node.
        phases: In the order in which they run.
        latent_frames: How many the finished clip has. What a sampler has beyond them are guides, which nobody wants
            to see. None when it is not known.
        preview: The file in ComfyUI's folder ``vae_approx`` with the factors that belong to the VAE of its latents;
            those that ComfyUI has when empty.
    """

    name: str
    graph: Mapping[str, Mapping[str, Any]]
    phases: tuple[Phase, ...] = ()
    latent_frames: int | None = None
    preview: str = ""
