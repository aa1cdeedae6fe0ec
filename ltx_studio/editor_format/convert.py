"""Editor format → API format, with the editor's own rules.

An editor-format workflow is the drawing: nodes with widget values, links by number, reroutes, primitives, notes,
muted and bypassed nodes, and subgraphs, which are defined once and used many times.
The rules here are those of ComfyUI's front end 1.47 (`graphToPrompt`); a test compares the results with its own.

The work is bounded for any file: nodes in subgraphs are counted before the subgraphs are expanded, each step
along a link is taken once and cached, and all steps are counted.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from ltx_studio import limits
from ltx_studio.editor_format.dynamic_prompts import settle
from ltx_studio.editor_format.editor_nodes import VIRTUAL
from ltx_studio.editor_format.everywhere import with_wires
from ltx_studio.editor_format.group_nodes import unpack_groups
from ltx_studio.editor_format.ids import Json, make_ids_unique, node_key
from ltx_studio.editor_format.links import with_plain_links
from ltx_studio.editor_format.nodes import Nodes
from ltx_studio.editor_format.primitives import primitive_values
from ltx_studio.editor_format.promoted_widgets import Promotions, Value, widget_of
from ltx_studio.editor_format.scopes import BYPASSED, MUTED, SUBGRAPH_INPUT, Contents, Scope, check_expansion
from ltx_studio.editor_format.tracing import Source, Tracer, title_of
from ltx_studio.editor_format.widgets import prompts
from ltx_studio.errors import StudioError, WorkflowError
from ltx_studio.graph.definitions import Definitions, Input, unknown_nodes
from ltx_studio.graph.graph import ApiGraph
from ltx_studio.graph.missing_nodes import pack_named
from ltx_studio.graph.values import Scale, shown

__all__ = ["BYPASSED", "MUTED", "SUBGRAPH_INPUT", "is_editor_format", "to_api"]

log = logging.getLogger(__name__)


def is_editor_format(data: object) -> bool:
    """Return whether parsed JSON is a workflow as the editor saves it."""
    return isinstance(data, Mapping) and isinstance(data.get("nodes"), list)


def to_api(workflow: Json, definitions: Definitions, *, keep_unknown: bool = False) -> ApiGraph:
    """Return the API-format graph that the editor would queue for `workflow`.

    Args:
        workflow: Editor format.
        definitions: The node definitions of the installed ComfyUI.
        keep_unknown: Whether to accept node classes that `definitions` lacks; the graph then has only the links among
            their inputs.

    Raises:
        WorkflowError: It uses node classes that `definitions` lacks, it is too large (see `limits`), or it is damaged.
    """
    try:
        return _Converter(workflow, definitions).convert(keep_unknown=keep_unknown)
    except (StudioError, MemoryError):
        raise
    except Exception as error:  # anything that a damaged file may cause
        log.info("could not convert a damaged workflow", exc_info=True)
        raise WorkflowError(
            f"The workflow is damaged: {type(error).__name__}: {shown(str(error), 200)}.",
            "Save it again in ComfyUI's editor.",
        ) from error


class _Converter:
    def __init__(self, workflow: Json, definitions: Definitions) -> None:
        definitions_of = (workflow.get("definitions") or {}).get("subgraphs") or []
        subgraphs = [with_wires(with_plain_links(item)) for item in definitions_of]
        workflow = make_ids_unique(with_wires(with_plain_links(workflow)), subgraphs)
        workflow = unpack_groups(workflow, subgraphs, definitions)
        self._root = Scope("", Contents(workflow))
        self._subgraphs = {item["id"]: Contents(item) for item in subgraphs}
        self._definitions = definitions
        self._scale = Scale()
        self._steps = 0
        self._nodes = Nodes(definitions, self._subgraphs)
        self._primitives: dict[Contents, dict[tuple[str, str], Any]] = {}
        self._prompts: dict[str, set[str]] = {}
        self._settled: dict[str, str] = {}

    def convert(self, *, keep_unknown: bool) -> ApiGraph:
        check_expansion(self._root.contents, self._subgraphs)
        if not keep_unknown:
            self._refuse_unknown_nodes()
        self._promotions = Promotions(self._root.contents, self._subgraphs, self._nodes.widgets_of, self._spend)
        self._tracer = Tracer(self._subgraphs, self._nodes, self._promotions, self._scale, self._spend)
        graph = dict(self._emit(self._root))
        for node in graph.values():  # inputs fed by a muted node are left unfed
            for name, value in list(node["inputs"].items()):
                if isinstance(value, list) and value[0] not in graph:
                    del node["inputs"][name]
        return graph

    def _refuse_unknown_nodes(self) -> None:
        """Refuse unknown classes among the nodes that the editor would queue; disabled, unused nodes may have them."""
        missing: dict[str, str] = {}
        used, waiting = {self._root.contents}, [self._root.contents]
        while waiting:
            contents = waiting.pop()
            for node in contents.nodes.values():
                off = _is_off(node)
                if node["type"] in self._subgraphs:
                    inner = self._subgraphs[node["type"]]
                    if inner not in used and not (off and contents is self._root.contents):
                        used.add(inner)
                        waiting.append(inner)
                elif not off and node["type"] not in VIRTUAL and node["type"] not in self._definitions:
                    missing[node["type"]] = pack_named(node.get("properties"))
        if missing:
            raise unknown_nodes(missing)

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > limits.WORKFLOW_STEPS.most:
            limits.WORKFLOW_STEPS.check(self._steps, "The workflow", error=WorkflowError, is_partial=True)

    def _emit(self, scope: Scope) -> Iterator[tuple[str, dict[str, Any]]]:
        for node in scope.contents.nodes.values():
            off = _is_off(node)
            if node["type"] in self._subgraphs and (not off or scope.parent is not None):
                # the editor checks the mode of a subgraph only at the top level of the workflow
                yield from self._emit(self._tracer.child(scope, node))
            elif not off and node["type"] not in VIRTUAL and node["type"] not in self._subgraphs:
                title = node.get("title") or self._definitions.title(node["type"])
                node_id = scope.id_of(node)
                self._scale.weigh_name(node_id, title_of(node))
                self._scale.weigh(title, "title", title_of(node))
                inputs = self._inputs(scope, node)
                yield node_id, {"class_type": node["type"], "inputs": inputs, "_meta": {"title": title}}

    def _inputs(self, scope: Scope, node: Json) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        dynamic = self._prompts_of(node["type"])
        primitives = self._primitives_of(scope.contents)
        for name, stored in self._nodes.widgets_of(node).items():
            value = primitives.get((node_key(node["id"]), name), stored)
            if name in dynamic and isinstance(value, str):
                value = self._settle(value)
            self._weigh(node, name, value)
            inputs[name] = {"__value__": value} if isinstance(value, list) else value  # a bare list is a link
        for slot, item in enumerate(node.get("inputs") or []):
            if item.get("widget") and widget_of(item) not in inputs:  # from a widget that the installed node lacks
                continue
            match self._tracer.origin_of(scope, node, slot):
                case Source(node_id, origin_slot):
                    self._weigh(node, item["name"], node_id)
                    inputs[item["name"]] = [node_id, origin_slot]
                case Value(value):
                    self._weigh(node, item["name"], value)
                    inputs[item["name"]] = {"__value__": value} if isinstance(value, list) else value
        return inputs

    def _primitives_of(self, contents: Contents) -> dict[tuple[str, str], Any]:
        if contents not in self._primitives:
            self._primitives[contents] = primitive_values(contents, self._widget)
        return self._primitives[contents]

    def _widget(self, node: Json, name: Any) -> tuple[Input, Any] | None:
        inner = self._promotions.inner_widget(node, name)
        return None if inner is None else self._nodes.declared_of(inner[0]).get(inner[1])

    def _weigh(self, node: Json, name: Any, value: Any) -> None:
        self._scale.weigh_name(name, title_of(node))
        self._scale.weigh(value, name, title_of(node))

    def _settle(self, prompt: str) -> str:
        if prompt not in self._settled:
            self._settled[prompt] = settle(prompt)
        return self._settled[prompt]

    def _prompts_of(self, class_type: str) -> set[str]:
        if class_type not in self._prompts:
            self._prompts[class_type] = prompts(class_type, self._definitions)
        return self._prompts[class_type]


def _is_off(node: Json) -> bool:
    return node.get("mode") in (MUTED, BYPASSED)
