"""What stays warm between runs: loaders, encoded prompts and prepared inputs; nothing that a seed has touched.

ComfyUI's executor would keep every node's output, decoded frames included, and would answer an unchanged graph
with the old file. So after each run the outputs are forgotten of every node that samples, decodes or saves, and
of all that hangs on them. It would also keep using the weights of a file that has been replaced since.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ltx_studio.engine.rescue import bytes_of
from ltx_studio.graph.graph import is_link

MAX_KEPT_BYTES = 64 * 1024**2
"""A prepared input larger than this, such as the frames of a source video, is prepared anew for each run."""

_SAMPLING_INPUTS = {"SIGMAS", "SAMPLER", "GUIDER"}
_PIXELS = {"IMAGE", "AUDIO", "VIDEO"}

Fingerprint = dict[str, tuple[int, int]]


def forget(executor: Any, passing: Iterable[str]) -> None:
    """Drop what the nodes `passing` made, every subgraph's, and whatever is too large to keep.

    The objects of those nodes go too: Save Image and its like note the output folder when they are made.
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


def model_files(graph: Mapping[str, Mapping[str, Any]], folder_paths: Any) -> Fingerprint:
    """Path → (bytes, nanoseconds of its last change) of every model file that the graph names."""
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
    """Whether a file that was known before is another one now."""
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
