"""Write the tables of nodes and values that the studio's ComfyUI lacks: the version or node pack that adds them.

make golden

Versions are from ComfyUI's workflow templates: each names the ComfyUI that it needs, and each node the one it was
drawn with. Packs are from ComfyUI-Manager's list of node packs, which is fetched from PyPI: those with most stars.
"""

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import comfyui_workflow_templates_json

from ltx_studio.editor_format.editor_nodes import VIRTUAL
from ltx_studio.editor_format.widgets import widget_values
from ltx_studio.engine import comfyui
from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.graph import node_versions
from ltx_studio.graph.definitions import Definitions, load_definitions
from ltx_studio.graph.input_values import fits
from ltx_studio.settings import get_settings

NEWER = Path(node_versions.__file__).with_name("node_versions.json")
PACKS = Path(node_versions.__file__).with_name("node_packs.json")
TEMPLATES = Path(comfyui_workflow_templates_json.__file__).parent / "templates"
OURS = (0, 30, 0)
MOST_BYTES = 190_000
CORE = "https://github.com/comfyanonymous/ComfyUI"

Version = tuple[int, ...]


def main() -> None:
    settings = get_settings()
    definitions = load_definitions(snapshot_path(settings))
    packs = dict(_packs(definitions))
    PACKS.write_text(_lines(packs), encoding="utf-8")
    print(f"{len(packs)} packs with {sum(map(len, packs.values()))} nodes")
    of_packs = {node for nodes in packs.values() for node in nodes}
    table = _newer(definitions, set(_partners(comfyui.find(settings).path)), of_packs)
    NEWER.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    print({name: len(each) for name, each in table.items()})


def _newer(definitions: Definitions, partners: set[str], of_packs: set[str]) -> dict[str, Any]:
    nodes: dict[str, set[Version]] = defaultdict(set)
    values: dict[tuple[str, str, str], set[Version]] = defaultdict(set)
    for workflow, least, is_open in _templates():
        drawn = [node for node in _nodes(workflow) if node["type"] not in VIRTUAL]
        newest = max([least, *(_version((node.get("properties") or {}).get("ver")) for node in drawn)])
        for node in drawn:
            name = node["type"]
            if name in definitions:
                for key, value in _unknown_values(node, definitions):
                    values[name, key, value].add(newest)
            elif (node.get("properties") or {}).get("cnr_id") in (None, "comfy-core") and name not in of_packs:
                nodes[name].add(least)
                if not is_open:
                    partners.add(name)
    found: dict[str, dict[str, dict[str, str]]] = {}
    for (name, key, value), versions in sorted(values.items()):
        since = _least(versions)
        if since:
            found.setdefault(name, {}).setdefault(key, {})[value] = since
    since_of = {name: _least(versions) for name, versions in sorted(nodes.items()) if name not in partners}
    return {
        "nodes": {name: since for name, since in since_of.items() if since},
        "values": found,
        "partners": sorted(name for name in partners if name not in definitions),
    }


def _templates() -> Iterator[tuple[dict[str, Any], Version, bool]]:
    """Yield each template, the ComfyUI that it needs, and whether it runs without internet services."""
    groups = json.loads((TEMPLATES / "index.json").read_text(encoding="utf-8"))
    for told in (each for group in groups for each in group["templates"]):
        path = TEMPLATES / f"{told['name']}.json"
        if path.is_file():
            workflow = json.loads(path.read_text(encoding="utf-8"))
            yield workflow, _version(told.get("minComfyUIVersion")), bool(told.get("openSource", True))


def _nodes(workflow: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    subgraphs = (workflow.get("definitions") or {}).get("subgraphs") or []
    ids = {subgraph["id"] for subgraph in subgraphs}
    for graph in (workflow, *subgraphs):
        yield from (node for node in graph["nodes"] if node["type"] not in ids)


def _unknown_values(node: dict[str, Any], definitions: Definitions) -> Iterator[tuple[str, str]]:
    """Yield the texts that a node's inputs do not accept; none for 3D nodes, whose widgets are the editor's own."""
    declared = {item.name: item for item in definitions.inputs(node["type"])}
    if "3D" in node["type"]:
        return
    for name, value in widget_values(node, definitions).items():
        if name in declared and isinstance(value, str) and value and not fits(declared[name], value):
            yield name, value


def _version(text: object) -> Version:
    whole = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)", str(text))
    return tuple(map(int, whole.groups())) if whole else (0, 0, 0)


def _least(versions: set[Version]) -> str:
    later = sorted(version for version in versions if version > OURS)
    return f"{later[0][0]}.{later[0][1]}" if later else ""


def _partners(comfy: Path) -> Iterator[str]:
    for path in sorted((comfy / "comfy_api_nodes").glob("*.py")):
        yield from re.findall(r'node_id="([^"]+)"', path.read_text(encoding="utf-8"))


def _packs(definitions: Definitions) -> Iterator[tuple[str, list[str]]]:
    """Yield owner/name → its nodes, those with most stars first; each node belongs to one pack."""
    known, stars = _of_the_manager()
    size = 0
    taken: set[str] = set()
    for address in sorted(known, key=lambda each: -stars.get(each, {}).get("stars", 0)):
        if not address.startswith("https://github.com/") or address == CORE:
            continue
        names, told = known[address]
        pattern = told.get("nodename_pattern")
        fresh = sorted(name for name in set(names) - taken if name not in definitions)
        fresh += [f"/{pattern}"] if pattern else []
        taken |= set(fresh)
        size += sum(len(json.dumps(name)) + 2 for name in fresh) + len(address)
        if size > MOST_BYTES:
            return
        if fresh:
            yield address.removeprefix("https://github.com/"), fresh


def _of_the_manager() -> tuple[dict[str, Any], dict[str, Any]]:
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "comfyui-manager", "-d", scratch]
        subprocess.run(command, check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as whole:
            read = {
                name: json.loads(whole.read(f"comfyui_manager/{name}.json"))
                for name in ("extension-node-map", "github-stats")
            }
    return read["extension-node-map"], read["github-stats"]


def _lines(table: Mapping[str, Any]) -> str:
    lines = (f"  {json.dumps(name)}: {json.dumps(each, ensure_ascii=False)}" for name, each in table.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()
