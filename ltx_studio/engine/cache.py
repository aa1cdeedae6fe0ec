"""What stays warm between runs: loaders, encoded prompts and prepared inputs; nothing that a seed has touched.

ComfyUI's executor would keep every node's output, decoded frames included, and would answer an unchanged graph
with the old file. So after each run the outputs are forgotten of every node that samples, decodes or saves, and
of all that hangs on them.
"""

from collections.abc import Mapping
from typing import Any

from ltx_studio.graph.api import is_link

_SAMPLING_INPUTS = {"SIGMAS", "SAMPLER", "GUIDER"}
_PIXELS = {"IMAGE", "AUDIO", "VIDEO"}


def forget_takes(executor: Any, graph: Mapping[str, Mapping[str, Any]], classes: Mapping[str, Any]) -> None:
    """Drop from the executor's cache what `passing_nodes` names, and every subgraph's."""
    outputs = executor.caches.outputs
    keys = outputs.cache_key_set
    for node_id in passing_nodes(graph, classes):
        outputs.cache.pop(keys.get_data_key(node_id), None)
    outputs.subcaches.clear()


def passing_nodes(graph: Mapping[str, Mapping[str, Any]], classes: Mapping[str, Any]) -> set[str]:
    """The ids of the nodes that sample, decode or save, and of everything downstream of them."""
    passing = {node_id for node_id, node in graph.items() if _makes_a_take(classes[node["class_type"]])}
    users: dict[str, set[str]] = {}
    for node_id, node in graph.items():
        for value in node["inputs"].values():
            if is_link(value):
                users.setdefault(value[0], set()).add(node_id)
    frontier = list(passing)
    while frontier:
        fresh = users.get(frontier.pop(), set()) - passing
        passing |= fresh
        frontier += fresh
    return passing


def _makes_a_take(node_class: Any) -> bool:
    if getattr(node_class, "OUTPUT_NODE", False):
        return True
    declared = node_class.INPUT_TYPES()
    inputs = {name: spec[0] for part in ("required", "optional") for name, spec in declared.get(part, {}).items()}
    outputs = set(node_class.RETURN_TYPES)
    takes_latent = "LATENT" in inputs.values()
    samples = "LATENT" in outputs and (bool(_SAMPLING_INPUTS & _names(inputs)) or {"steps", "denoise"} <= set(inputs))
    decodes = takes_latent and bool(_PIXELS & outputs)
    return samples or decodes


def _names(inputs: Mapping[str, Any]) -> set[str]:
    return {kind for kind in inputs.values() if isinstance(kind, str)}
