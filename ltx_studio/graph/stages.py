"""The stages of any workflow, told from what its nodes are called."""

import re
from collections.abc import Iterator

from ltx_studio.graph.api import ApiGraph, upstream
from ltx_studio.graph.workflow import Stage

_STAGES = (
    ("load", "Load models", re.compile(r"Loader")),
    ("prompt", "Read prompt", re.compile(r"TextEncode")),
    ("stage", "Sample", re.compile(r"KSampler(Advanced)?$|SamplerCustom(Advanced)?$")),
    ("upscale", "Upscale", re.compile(r"LatentUp(sampl|scal)(?!.*Loader)")),
    ("decode", "Decode", re.compile(r"VAEDecode")),
    ("save", "Save", re.compile(r"^(Save|Create)")),
)
"""Id, label, and how the classes are called, as ComfyUI's own are."""

_LOAD, _SAMPLE, _SAVE = 0, 2, 5


def stages_of(graph: ApiGraph) -> Iterator[Stage]:
    """What its nodes do, by how many samplers come before them; each of these begins anew."""
    kinds = {
        node_id: next((rank for rank, (_, _, like) in enumerate(_STAGES) if like.search(node["class_type"])), None)
        for node_id, node in graph.items()
    }
    nodes: dict[tuple[int, int], list[str]] = {}
    for node_id, kind in kinds.items():
        if kind is not None:
            before = sum(kinds[each] == _SAMPLE for each in upstream(graph, [node_id]))
            after = before if kind not in (_LOAD, _SAVE) else 0 if kind == _LOAD else len(graph)
            nodes.setdefault((after, kind if kind != _SAMPLE else -1), []).append(node_id)
    samplers = sum(rank == -1 for _, rank in nodes)
    for after, rank in sorted(nodes):
        name, label, _ = _STAGES[_SAMPLE if rank == -1 else rank]
        if rank == -1 and samplers > 1:
            label = f"{label} {after}"
        yield Stage(name if not after or rank == _SAVE else f"{name}{after}", label, tuple(nodes[after, rank]))
