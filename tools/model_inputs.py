"""Ask ComfyUI which node inputs name model files, and write the table for `ltx_studio.graph.model_inputs`.

make golden

Each of its folders gets one file whose name identifies the folder. An input that offers that name reads from there.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ltx_studio.engine.boot import Comfy, boot
from ltx_studio.graph import model_inputs
from ltx_studio.settings import get_settings

TABLE = Path(model_inputs.__file__).with_name("model_inputs.json")
MARK = "marker-of-"
USUAL = ("diffusion_models", "checkpoints", "text_encoders", "vae", "loras")
"""Common folders, which come first if an input reads from several."""

Table = dict[str, dict[str, list[str]]]


def main() -> None:
    table = ask(boot(get_settings()))
    lines = (f"  {json.dumps(name)}: {json.dumps(inputs)}" for name, inputs in table.items())
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(table)} classes that load models")


def ask(comfy: Comfy) -> Table:
    """Return class → input → folders, for every registered node class."""
    with tempfile.TemporaryDirectory() as scratch, _marked(comfy.folder_paths, Path(scratch)):
        found = {name: _looked_in(cls) for name, cls in sorted(comfy.nodes.NODE_CLASS_MAPPINGS.items())}
    return {name: inputs for name, inputs in found.items() if inputs}


@contextmanager
def _marked(folder_paths: Any, scratch: Path) -> Iterator[None]:
    known = folder_paths.folder_names_and_paths
    before = {kind: list(paths) for kind, (paths, _) in known.items()}
    for kind in before:
        folder = scratch / kind
        folder.mkdir()
        (folder / f"{MARK}{kind}.safetensors").touch()
        known[kind][0].append(str(folder))
    folder_paths.filename_list_cache.clear()
    try:
        yield
    finally:
        for kind, paths in before.items():
            known[kind][0][:] = paths
        folder_paths.filename_list_cache.clear()


def _looked_in(node_class: Any) -> dict[str, list[str]]:
    declared = node_class.INPUT_TYPES()
    found = {}
    for section in ("required", "optional"):
        for name, spec in declared.get(section, {}).items():
            kinds = {kind for kind in _marks(spec) if not name.startswith("_")}
            if kinds:
                found[name] = sorted(kinds, key=lambda kind: (kind not in USUAL, kind))
    return found


def _marks(spec: Any) -> Iterator[str]:
    """Yield the folders whose marker is among an input's choices."""
    if isinstance(spec, str) and spec.startswith(MARK):
        yield spec.removeprefix(MARK).removesuffix(".safetensors")
    elif isinstance(spec, dict):
        for value in spec.values():
            yield from _marks(value)
    elif isinstance(spec, list | tuple):
        for value in spec:
            yield from _marks(value)


if __name__ == "__main__":
    main()
