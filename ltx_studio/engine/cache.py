"""What stays cached between runs: loaders, encoded prompts and prepared inputs; nothing that depends on a seed.

ComfyUI's executor would keep every node's output, decoded frames included, and would answer an unchanged graph
with the old file. So after each run the outputs of every node that samples, decodes or saves are dropped, and those
of all nodes downstream. The executor would also keep using the weights of a model file that has since been replaced.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ltx_studio.engine.rescue import bytes_of
from ltx_studio.graph.graph import is_link

MAX_KEPT_BYTES = 64 * 1024**2
"""The largest prepared input to keep; a larger one, such as a source video's frames, is prepared again for each run."""

_SAMPLING_INPUTS = {"SIGMAS", "SAMPLER", "GUIDER"}
_PIXELS = {"IMAGE", "AUDIO", "VIDEO"}

Fingerprint = dict[str, tuple[int, int]]


def forget(executor: Any, passing: Iterable[str]) -> None:
    """Drop the outputs of the nodes `passing` and of every subgraph, and whatever is too large to keep.

    The objects of those nodes are dropped too: Save Image and similar nodes store the output folder when created.
    """
    outputs, objects = executor.caches.outputs, executor.caches.objects
    for node_id in passing:
        outputs.cache.pop(outputs.cache_key_set.get_data_key(node_id), None)
        objects.cache.pop(objects.cache_key_set.get_data_key(node_id), None)
    outputs.subcaches.clear()
    objects.subcaches.clear()
    for key in [key for key, entry in outputs.cache.items() if bytes_of(entry.outputs) > MAX_KEPT_BYTES]:
        del outputs.cache[key]


def passing_nodes(graph: Mapping[str, Mapping[str, Any]], classes: Mapping[str, Any]) -> set[str]:
    """Return the ids of the nodes that sample, decode or save, and of everything downstream of them."""
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


def model_files(graph: Mapping[str, Mapping[str, Any]], folder_paths: Any) -> Fingerprint:
    """Return path → (bytes, modification time in nanoseconds) of every model file that the graph names."""
    names = {value for node in graph.values() for value in node["inputs"].values() if isinstance(value, str)}
    found: Fingerprint = {}
    for name in names:
        if Path(name).suffix not in folder_paths.supported_pt_extensions:
            continue
        for kind in folder_paths.folder_names_and_paths:
            path = folder_paths.get_full_path(kind, name)
            if path is not None:
                stat = Path(path).stat()
                found[path] = (stat.st_size, stat.st_mtime_ns)
    return found


def has_changed(before: Fingerprint, now: Fingerprint) -> bool:
    """Return whether a known file has changed."""
    return any(before[path] != stat for path, stat in now.items() if path in before)


def _makes_a_take(node_class: Any) -> bool:
    if getattr(node_class, "OUTPUT_NODE", False):
        return True
    declared = node_class.INPUT_TYPES()
    inputs = {name: spec[0] for part in ("required", "optional") for name, spec in declared.get(part, {}).items()}
    kinds = {kind for kind in inputs.values() if isinstance(kind, str)}
    outputs = set(node_class.RETURN_TYPES)
    samples = "LATENT" in outputs and (bool(_SAMPLING_INPUTS & kinds) or "sampler_name" in inputs)
    decodes = "LATENT" in kinds and bool(_PIXELS & outputs)
    return samples or decodes
