"""Keep the latents of failed runs, so that a retry continues where the run stopped instead of sampling again."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

MOST_BYTES = 512 * 1024**2
"""The most bytes of all rescued latents. Those of a clip of 20 seconds at full size take about 20 MB a stage."""
MOST_ENTRIES = 128


class RescuedLatents:
    """Entries of ComfyUI's cache by their keys, which are the signatures of all inputs, the seed included.

    They outlive other runs and the unloading of models: latents are small, and sampling is the slow part.
    """

    def __init__(self) -> None:
        self._entries: OrderedDict[Any, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def keep(self, entries: Mapping[Any, Any]) -> None:
        """Add entries; drop the oldest if there are too many or they are too large."""
        for key, entry in entries.items():
            self._entries[key] = entry
            self._entries.move_to_end(key)
        while len(self._entries) > MOST_ENTRIES or self._bytes() > MOST_BYTES:
            self._entries.popitem(last=False)

    def put_back(self, executor: Any) -> None:
        """Put all entries into an executor's cache before a run; it drops those that the run does not use."""
        executor.caches.outputs.cache.update(self._entries)

    def drop(self, keys: Iterable[Any]) -> None:
        """Forget entries that are no longer needed."""
        for key in keys:
            self._entries.pop(key, None)

    def clear(self) -> None:
        self._entries.clear()

    def _bytes(self) -> int:
        return sum(bytes_of(entry.outputs) for entry in self._entries.values())


def latents_of(
    executor: Any, graph: Mapping[str, Mapping[str, Any]], classes: Mapping[str, Any], node_ids: Iterable[str]
) -> dict[Any, Any]:
    """Return the cache entries of those nodes that have finished and output only latents."""
    outputs = executor.caches.outputs
    found = {}
    for node_id in node_ids:
        kinds = set(classes[graph[node_id]["class_type"]].RETURN_TYPES)
        key = outputs.cache_key_set.get_data_key(node_id)
        if kinds == {"LATENT"} and key in outputs.cache:
            found[key] = outputs.cache[key]
    return found


def bytes_of(value: Any) -> int:
    """Return the bytes of the tensors in nested lists and dictionaries; models and other objects count as nothing."""
    if isinstance(value, Mapping):
        return sum(bytes_of(item) for item in value.values())
    if isinstance(value, list | tuple):
        return sum(bytes_of(item) for item in value)
    if type(value).__name__ == "NestedTensor":  # ComfyUI's, of picture and sound together
        return bytes_of(value.tensors)
    return int(value.nbytes) if type(value).__name__ == "Tensor" else 0
