"""Ask ComfyUI which node inputs name files or folders, and write the table for `ltx_studio.graph.path_inputs`.

make golden

Two methods, because either alone misses some: each folder gets files and a folder with unique names, and an input with
one of them as a choice reads from there; and the code of each node is read for parameters that become part of a path.
"""

import ast
import inspect
import json
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ltx_studio.engine.boot import Comfy, boot
from ltx_studio.graph import path_inputs
from ltx_studio.graph.model_inputs import loader_table
from ltx_studio.graph.safety import harmless
from ltx_studio.settings import get_settings

TABLE = Path(path_inputs.__file__).with_name("path_inputs.json")
MARK = "marker-in-"
ENDINGS = (".png", ".wav", ".mp4", ".latent", ".glb", ".yaml", ".safetensors")
PATH_CALLS = {
    "exists_annotated_filepath",
    "get_annotated_filepath",
    "get_full_path",
    "get_full_path_or_raise",
    "get_save_image_path",
    "is_within_directory",
    "load_image",
    "open",
}
"""Functions that make a path from their arguments; `os.path.join` is one more."""

TEXT_KINDS = {"STRING", "LOAD_3D", "WEBCAM", "AUDIO_RECORD"}
"""Kinds of input in which a graph can give any name; a COMBO only allows its choices."""

Table = dict[str, dict[str, str]]


def main() -> None:
    table = ask(boot(get_settings()))
    lines = (f"  {json.dumps(name)}: {json.dumps(inputs)}" for name, inputs in table.items())
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{sum(map(bool, table.values()))} classes that name files or folders")


def ask(comfy: Comfy) -> Table:
    """Return class → input → its source: a folder of ComfyUI's, or ``"path"`` if only the code shows it.

    Model files are left out (see `model_inputs`). A class that runs only when trusted is in the table even if it has
    no such input, which records that it was examined.
    """
    with tempfile.TemporaryDirectory() as scratch, _marked(comfy.folder_paths, Path(scratch)):
        found = {name: _inputs(name, cls) for name, cls in sorted(comfy.nodes.NODE_CLASS_MAPPINGS.items())}
    return {name: inputs for name, inputs in found.items() if inputs or name not in harmless()}


def _inputs(name: str, node_class: Any) -> dict[str, str]:
    models, declared = loader_table().get(name, {}), node_class.INPUT_TYPES()
    in_paths = _path_parameters(node_class)
    found = {}
    for section in ("required", "optional"):
        for given, spec in declared.get(section, {}).items():
            if given in models:
                continue
            places = sorted(set(_places(spec)))
            if places:
                found[given] = places[0]
            elif isinstance(spec[0], str) and TEXT_KINDS & set(spec[0].split(",")):
                if given in in_paths or (given != "prefix" and path_inputs.is_called_like_a_path(given)):
                    found[given] = "path"
            elif _is_upload(spec):
                found[given] = "path"
    return found


def _is_upload(spec: Any) -> bool:
    options = spec[1] if len(spec) > 1 else {}
    return any(options.get(known_by) for known_by in path_inputs.UPLOADS)


@contextmanager
def _marked(folder_paths: Any, scratch: Path) -> Iterator[None]:
    known = folder_paths.folder_names_and_paths
    before = {kind: list(places) for kind, (places, _) in known.items()}
    ours = {kind: getattr(folder_paths, f"get_{kind}_directory")() for kind in ("input", "output", "temp")}
    for kind in (*before, *ours):
        _mark(scratch / kind, kind)
    for kind in before:
        known[kind][0].append(str(scratch / kind))
    for kind in ours:
        getattr(folder_paths, f"set_{kind}_directory")(str(scratch / kind))
    folder_paths.filename_list_cache.clear()
    try:
        yield
    finally:
        for kind, places in before.items():
            known[kind][0][:] = places
        for kind, place in ours.items():
            getattr(folder_paths, f"set_{kind}_directory")(place)
        folder_paths.filename_list_cache.clear()


def _mark(folder: Path, kind: str) -> None:
    """Put a file of each sort into a folder, and a subfolder that is both a data set and a diffusers model."""
    inner = folder / f"{MARK}{kind}"
    inner.mkdir(parents=True)
    (inner / "metadata.json").write_text("{}", encoding="utf-8")
    (inner / "model_index.json").write_text("{}", encoding="utf-8")
    for place in (folder, folder / "3d"):
        place.mkdir(exist_ok=True)
        for ending in ENDINGS:
            (place / f"{MARK}{kind}{ending}").touch()


def _places(spec: Any) -> Iterator[str]:
    if isinstance(spec, str) and MARK in spec:
        yield spec[spec.index(MARK) + len(MARK) :].partition("/")[0].partition(".")[0]
    elif isinstance(spec, dict):
        for value in spec.values():
            yield from _places(value)
    elif isinstance(spec, list | tuple):
        for value in spec:
            yield from _places(value)


def _path_parameters(node_class: Any) -> set[str]:
    """Return the parameters of a node's function that become part of a path, in its module or its base classes'."""
    functions = _functions(node_class)
    tainted: dict[str, set[str]] = {name: set() for name in functions}
    while True:
        before = {name: set(found) for name, found in tainted.items()}
        for name, function in functions.items():
            tainted[name] |= _used_in_paths(function, functions, tainted)
        if tainted == before:
            return tainted.get(getattr(node_class, "FUNCTION", "execute"), set()) | tainted.get("execute", set())


def _functions(node_class: Any) -> dict[str, ast.FunctionDef]:
    found: dict[str, ast.FunctionDef] = {}
    module = sys.modules[node_class.__module__]
    for _, function in inspect.getmembers(module, inspect.isfunction):
        found |= _parsed(function)
    for base in reversed(node_class.__mro__):
        for each in vars(base).values():
            function = getattr(each, "__func__", each)
            found |= _parsed(function) if inspect.isfunction(function) else {}
    return found


@cache
def _parsed(function: Any) -> dict[str, ast.FunctionDef]:
    if "/comfy_api/" in (inspect.getsourcefile(function) or ""):
        return {}
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    return {function.__name__: tree} if isinstance(tree, ast.FunctionDef) else {}


def _used_in_paths(
    function: ast.FunctionDef, functions: dict[str, ast.FunctionDef], tainted: dict[str, set[str]]
) -> set[str]:
    return {
        parameter.arg
        for parameter in (*function.args.args, *function.args.kwonlyargs)
        if parameter.arg not in ("self", "cls") and _reaches_a_path(function, parameter.arg, functions, tainted)
    }


def _reaches_a_path(
    function: ast.FunctionDef, parameter: str, functions: dict[str, ast.FunctionDef], tainted: dict[str, set[str]]
) -> bool:
    names = {parameter}
    for node in _within(function):
        if isinstance(node, ast.Assign) and names & _names(node.value) and not isinstance(node.value, ast.Call):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    for call in (node for node in _within(function) if isinstance(node, ast.Call)):
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        if called in PATH_CALLS or _unparsed(call.func) == "os.path.join":
            if any(names & _names(each) for each in given):
                return True
        elif called in functions:
            inner = [each.arg for each in functions[called].args.args if each.arg not in ("self", "cls")]
            named = [*zip(inner, call.args, strict=False), *((each.arg, each.value) for each in call.keywords)]
            if any(name in tainted[called] and names & _names(value) for name, value in named):
                return True
    return False


_unparsed = cache(ast.unparse)


@cache
def _within(tree: ast.AST) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree))


@cache
def _names(tree: ast.AST) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


if __name__ == "__main__":
    main()
