"""The graph that a take carries for ComfyUI's own editor; core nodes only, so that any ComfyUI opens it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ltx_studio.editor_format.convert import to_api
from ltx_studio.editor_format.draw import to_editor
from ltx_studio.engine.nodes import NODE_CLASS_MAPPINGS as OWN_NODES
from ltx_studio.graph.definitions import Definitions
from ltx_studio.media import PrepareInput
from ltx_studio.models import Registry
from ltx_studio.models.defaults import FOR_A_GPU
from ltx_studio.queue.specs import Spec
from ltx_studio.queue.workflow_spec import WorkflowSpec

NOTE = """This video was made with LTX 2.3 Studio's own nodes: {nodes}. So that it opens in any ComfyUI, this is the \
same request with core nodes only: {how}. The clip comes out another one.

`ltx-studio recipe show FILE --workflow OUT.json` writes the graph as it really ran; `ltx-studio recipe nodes FOLDER` \
puts the nodes that it needs into a `custom_nodes` folder."""
WITH_REAL_LOADERS = "the model files of the set {label} in place of the pocket preview"
WITH_PLAIN_GUIDANCE = "plain classifier-free guidance"


@dataclass(frozen=True, slots=True)
class EditorMetadata:
    """Attributes: prompt in API format and workflow in editor format; the editor converts the latter to the former."""

    prompt: Mapping[str, Any]
    workflow: Mapping[str, Any]


def embed(
    spec: Spec,
    graph: Mapping[str, Mapping[str, Any]],
    definitions: Definitions,
    registry: Registry,
    prepare: PrepareInput,
) -> EditorMetadata:
    """Return the graph of `spec` for a video file, unchanged if all its nodes are ComfyUI's, else an equivalent."""
    own = {node["class_type"] for node in graph.values()} & set(OWN_NODES)
    if not own or isinstance(spec, WorkflowSpec):
        return draw(graph, definitions)
    model_set, how = spec.model_set, [WITH_PLAIN_GUIDANCE] if spec.sampling.guided else []
    if {node["class_type"] for node in model_set.loaders.nodes.values()} & set(OWN_NODES):
        model_set = registry.get_set(FOR_A_GPU)
        how.insert(0, WITH_REAL_LOADERS.format(label=model_set.label))
    like = spec.build(prepare, replace(model_set, guidance_blocks=()))
    return draw(like.graph, definitions, NOTE.format(nodes=", ".join(sorted(own)), how=" and ".join(how)))


def draw(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions, note: str = "") -> EditorMetadata:
    """Return a graph in both formats, unchanged."""
    workflow = to_editor(graph, definitions, note)
    return EditorMetadata(to_api(workflow, definitions), workflow)
