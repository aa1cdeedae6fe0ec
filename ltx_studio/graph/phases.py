"""The phases of any workflow, derived from its nodes' class names."""

import re
from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from ltx_studio.graph.graph import ApiGraph, is_link
from ltx_studio.graph.workflow import Phase

_PHASES = (
    ("load", "Load models", re.compile(r"Loader")),
    ("prompt", "Read prompt", re.compile(r"TextEncode")),
    ("stage", "Sample", re.compile(r"KSampler(Advanced)?$|SamplerCustom(Advanced)?$")),
    ("upscale", "Upscale", re.compile(r"LatentUp(sampl|scal)(?!.*Loader)")),
    ("decode", "Decode", re.compile(r"VAEDecode")),
    ("save", "Save", re.compile(r"^(Save|Create)")),
)
"""Id, label, and class name pattern of each phase, after ComfyUI's own names."""

_LOAD, _SAMPLE, _SAVE = 0, 2, 5


def phases_of(graph: ApiGraph) -> Iterator[Phase]:
    """Yield the phases of a graph; each further sampler starts new ones."""
    kinds = {
        node_id: next((rank for rank, (_, _, like) in enumerate(_PHASES) if like.search(node["class_type"])), None)
        for node_id, node in graph.items()
    }
    nodes: dict[tuple[int, int], list[str]] = {}
    samplers_before = _samplers_before(graph, [node_id for node_id, kind in kinds.items() if kind == _SAMPLE])
    for node_id, kind in kinds.items():
        if kind is not None and node_id in samplers_before:
            before = samplers_before[node_id]
            after = before if kind not in (_LOAD, _SAVE) else 0 if kind == _LOAD else len(graph)
            nodes.setdefault((after, kind if kind != _SAMPLE else -1), []).append(node_id)
    samplers = sum(rank == -1 for _, rank in nodes)
    for after, rank in sorted(nodes):
        name, label, _ = _PHASES[_SAMPLE if rank == -1 else rank]
        if rank == -1 and samplers > 1:
            label = f"{label} {after}"
        yield Phase(name if not after or rank == _SAVE else f"{name}{after}", label, tuple(nodes[after, rank]))


def _samplers_before(graph: ApiGraph, samplers: Sequence[str]) -> dict[str, int]:
    """Return the number of samplers that each node depends on, itself included; empty for a cyclic graph."""
    links = {
        node_id: [value[0] for value in node["inputs"].values() if is_link(value)] for node_id, node in graph.items()
    }
    marks = {node_id: 1 << number for number, node_id in enumerate(samplers)}
    found: dict[str, int] = {}  # the samplers as bits of one number: one pass, however long the chains are
    try:
        for node_id in TopologicalSorter(links).static_order():
            found[node_id] = marks.get(node_id, 0)
            for source in links[node_id]:
                found[node_id] |= found[source]
    except CycleError:
        return {}
    return {node_id: bits.bit_count() for node_id, bits in found.items()}
