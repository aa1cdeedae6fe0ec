"""Map a workflow's model files to those of a model set: `workflow run --map-models`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ltx_studio.families import UNION, ModelSet
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.graph import ApiGraph, is_link
from ltx_studio.graph.model_inputs import loader_table
from ltx_studio.graph.values import quoted, title_of

_SOCKETS = {"MODEL": "base_model", "CLIP": "clip", "VAE": "video_vae", "LATENT_UPSCALE_MODEL": "upscaler"}
"""Kinds of loader outputs, and the matching outputs of a set."""

_LORAS = "loras"
_WRITERS = ("TextGenerate", "TextGenerateLTX2Prompt")
"""Nodes in which the text encoder writes a prompt; the pocket one can only encode."""

_POCKET_ENCODER = "PocketTextEncoderLoader"
_DEPTH = ("LoadMoGeModel", "MoGeInference", "MoGeRender")


def map_models(
    graph: Mapping[str, Mapping[str, Any]], model_set: ModelSet, definitions: Definitions
) -> tuple[ApiGraph, list[str]]:
    """Return the graph with the loaders of `model_set`, and a note for everything that the set lacks.

    Args:
        graph: API format; all its nodes are in `definitions`.
        model_set: The model set whose files are used.
        definitions: The node definitions of the installed ComfyUI.
    """
    mapping = _Mapping(graph, model_set, definitions)
    mapping.map()
    return mapping.graph, mapping.notes


class _Mapping:
    def __init__(self, graph: Mapping[str, Mapping[str, Any]], model_set: ModelSet, definitions: Definitions) -> None:
        self.graph: ApiGraph = {key: {**node, "inputs": dict(node["inputs"])} for key, node in graph.items()}
        self.notes: list[str] = []
        self._set = model_set
        self._definitions = definitions
        self._added: dict[str, str] = {}

    def map(self) -> None:
        for node_id, node in list(self.graph.items()):
            files = {name: node["inputs"].get(name) for name in loader_table().get(node["class_type"], {})}
            named = {name: str(value) for name, value in files.items() if isinstance(value, str)}
            if not named:
                continue
            if any(self._folder(node, name) == _LORAS for name in named):
                self._map_lora(node_id, node, named)
            else:
                self._map_loader(node_id, node, " ".join(named.values()))
        if any(node["class_type"] == _POCKET_ENCODER for node in self.graph.values()):
            self._read_prompts_as_they_are()
        self._draw_edges_instead_of_depth()

    def _map_loader(self, node_id: str, node: Mapping[str, Any], file: str) -> None:
        """Connect every user of a loader to the set's loader; outputs of other kinds stay."""
        kinds = self._definitions.outputs(node["class_type"])
        if not any(kind in _SOCKETS for kind in kinds):
            return
        if "MODEL" in kinds:
            self._note_other_family(node, file)
        for user, name, slot in self._users(node_id):
            kind = kinds[slot] if 0 <= slot < len(kinds) else ""
            socket = _SOCKETS.get(kind)
            if kind == "VAE" and "audio" in f"{name} {node['class_type']}".lower():
                socket = "audio_vae"
            if kind == "MODEL" and "distilled" in file.lower():
                socket = "model"
            if socket is not None:
                user["inputs"][name] = self._socket(socket)
        if not any(True for _ in self._users(node_id)):  # otherwise outputs of other kinds are still in use
            del self.graph[node_id]

    def _note_other_family(self, node: Mapping[str, Any], file: str) -> None:
        family = self._set.family
        if not re.search(family.file_names, file, re.IGNORECASE):
            self.notes.append(
                f"{title_of(node)}: {quoted(file)} is not named like a model of {family.label}; {self._set.label} is "
                "used instead, with the workflow's own steps and sizes."
            )

    def _map_lora(self, node_id: str, node: dict[str, Any], named: Mapping[str, str]) -> None:
        title = title_of(node)
        for name, file in named.items():
            if self._folder(node, name) != _LORAS:
                continue
            mine, kind = self._lora(file.lower())
            if not mine:
                self.notes.append(f"{title}: {quoted(file)} is skipped; {self._set.label} has no such LoRA.")
                self._bypass(node_id, node)
                return
            node["inputs"][name] = mine
            if kind:
                self.notes.append(f"{title}: {self._set.label} has no {quoted(file)}; its {kind} LoRA is used instead.")

    def _lora(self, file: str) -> tuple[str, str]:
        """Return the set's LoRA for a file name, and its kind if that differs from the named one."""
        for kinds in (self._set.control, self._set.camera):
            for kind, lora in kinds.items():
                if kind in file:
                    return lora.file, ""
        if "ic-lora" in file and UNION in self._set.control:
            return self._set.control[UNION].file, "union control"
        if "distilled" in file and "Distilled LoRA" in self._set.loaders.nodes:
            return str(self._set.loaders.nodes["Distilled LoRA"]["inputs"]["lora_name"]), ""
        return "", ""

    def _bypass(self, node_id: str, node: Mapping[str, Any]) -> None:
        """Connect every user of a node to the node's input of the same kind."""
        class_type = node["class_type"]
        kinds = self._definitions.outputs(class_type)
        fed = {item.kind: node["inputs"].get(item.name) for item in reversed(self._definitions.inputs(class_type))}
        for user, name, slot in self._users(node_id):
            link = fed.get(kinds[slot]) if 0 <= slot < len(kinds) else None
            if is_link(link):
                user["inputs"][name] = list(link or ())
            else:
                del user["inputs"][name]
        del self.graph[node_id]

    def _read_prompts_as_they_are(self) -> None:
        for node_id, node in list(self.graph.items()):
            if node["class_type"] not in _WRITERS:
                continue
            self.notes.append(f"{title_of(node)}: {self._set.label} cannot write prompts; yours is used as it is.")
            prompt = node["inputs"].get("prompt", "")
            if not is_link(prompt):  # it stays a field
                text = {"class_type": "PrimitiveStringMultiline", "inputs": {"value": prompt}}
                self.graph[node_id] = {**text, "_meta": node.get("_meta", {})}
                continue
            for user, name, _ in self._users(node_id):
                user["inputs"][name] = list(prompt)
            del self.graph[node_id]

    def _draw_edges_instead_of_depth(self) -> None:
        """Feed a control with edges where the workflow estimates depth with a model that no set has."""
        loader, inference, render = _DEPTH
        for node_id, node in list(self.graph.items()):
            if node["class_type"] != render:
                continue
            given = node["inputs"].get("moge_geometry")
            source = self.graph.get(given[0]) if is_link(given) and given is not None else None
            if source is None or source["class_type"] != inference or not is_link(source["inputs"].get("image")):
                continue
            title = title_of(node)
            inputs = {"image": source["inputs"]["image"], "low_threshold": 0.1, "high_threshold": 0.3}
            self.graph[node_id] = {"class_type": "Canny", "inputs": inputs, "_meta": node.get("_meta", {})}
            self.notes.append(f"{title}: {self._set.label} has no depth model; edges (Canny) are used instead.")
        for kind in (inference, loader):
            for node_id, node in list(self.graph.items()):
                if node["class_type"] == kind and not any(True for _ in self._users(node_id)):
                    del self.graph[node_id]

    def _socket(self, name: str) -> list[Any]:
        title, slot = self._set.loaders.outputs[name]
        return [self._add(title), slot]

    def _add(self, title: str) -> str:
        """Add one of the set's loaders and its dependencies, once; return its id."""
        if title not in self._added:
            node = self._set.loaders.nodes[title]
            node_id = next(key for number in range(1, 9_999) if (key := f"map-{number}") not in self.graph)
            self._added[title] = node_id
            self.graph[node_id] = {"class_type": node["class_type"], "inputs": {}, "_meta": {"title": title}}
            self.graph[node_id]["inputs"] = {
                name: [self._add(value[0]), value[1]] if is_link(value) else value
                for name, value in node["inputs"].items()
            }
        return self._added[title]

    def _folder(self, node: Mapping[str, Any], name: str) -> str:
        return next(iter(loader_table().get(node["class_type"], {}).get(name, ())), "")

    def _users(self, node_id: str) -> Iterator[tuple[dict[str, Any], str, int]]:
        """Yield (node, input, slot) for every input that a node feeds."""
        for user in list(self.graph.values()):
            for name, value in list(user["inputs"].items()):
                if is_link(value) and value[0] == node_id:
                    yield user, name, value[1]
