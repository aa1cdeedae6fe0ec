"""The model files that modes need, found by building their graphs."""

from collections.abc import Iterable, Sequence
from weakref import WeakKeyDictionary

from ltx_studio.families import ModelSet
from ltx_studio.media import by_name
from ltx_studio.models import CONTROL_MODELS, ModelFile, Registry, Store
from ltx_studio.models.remove import Removal, removals
from ltx_studio.modes import MODES
from ltx_studio.modes.base import Mode
from ltx_studio.modes.fields import Controlling

_Key = tuple[str, str]
_found: WeakKeyDictionary[Registry, dict[_Key, tuple[Mode, ModelSet, tuple[ModelFile, ...]]]] = WeakKeyDictionary()
"""By registry, and by the ids of a mode and a model set: both, and the files that they need with any preset.

Building the graphs takes 30 ms for one set, and the page asks for all sets whenever files change.
"""


def model_files(
    modes: Iterable[Mode], model_set: ModelSet, registry: Registry, *, everything: bool = False
) -> list[ModelFile]:
    """Return the files for `modes` with any preset; with `everything`, also LoRAs and control models."""
    needed: dict[str, ModelFile] = {}
    for mode in modes:
        needed |= {file.key: file for file in _required(mode, model_set, registry)}
        if everything:
            needed |= {file.key: file for file in _optional(mode, model_set, registry)}
    return list(needed.values())


def _required(mode: Mode, model_set: ModelSet, registry: Registry) -> tuple[ModelFile, ...]:
    """Return the files for a mode with any preset; they are found once for each registry."""
    known, key = _found.setdefault(registry, {}), (mode.id, model_set.id)
    if key not in known or known[key][0] is not mode or known[key][1] is not model_set:
        needed: dict[str, ModelFile] = {}
        for preset in model_set.family.presets.values():
            if mode.is_possible(model_set, preset):
                graph = mode.build(mode.example(model_set), model_set, preset, by_name).graph
                needed |= {file.key: file for file in registry.needs(graph)}
        known[key] = (mode, model_set, tuple(needed.values()))
    return known[key][2]


def removals_of(
    files: Sequence[ModelFile], store: Store, model_set: str | None
) -> tuple[list[Removal], list[tuple[ModelFile, str]]]:
    """Return what removing a set's files would do, and the files kept, each with the id of the other set that needs it.

    Another set counts if its model is present.
    """
    shared = _files_of_others(files, store, model_set)
    staying = {file.key for file, _ in shared}
    return removals((file for file in files if file.key not in staying), store), shared


def _files_of_others(files: Sequence[ModelFile], store: Store, model_set: str | None) -> list[tuple[ModelFile, str]]:
    shared: dict[str, tuple[ModelFile, str]] = {}
    for other in store.registry.sets.values():
        main = store.registry.needs({"Model": other.loaders.nodes["Model"]})
        if other.id != model_set and all(store.find(file) for file in main):
            needed = {file.key for file in model_files(MODES.values(), other, store.registry, everything=True)}
            shared |= {file.key: (file, other.id) for file in files if file.key in needed}
    return list(shared.values())


def _optional(mode: Mode, model_set: ModelSet, registry: Registry) -> list[ModelFile]:
    loras = list(model_set.camera.values())
    fragments = [graph for name, graph in CONTROL_MODELS.items() if name in model_set.control_models]
    if issubclass(mode.params, Controlling):
        loras += model_set.control.values()
    else:
        fragments = []
    files = [registry.get_file(f"loras/{lora.file}") for lora in loras]
    return files + [file for fragment in fragments for file in registry.needs(fragment.nodes)]
