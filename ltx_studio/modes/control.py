"""Steering by a control clip: an IC-LoRA and its guide. Style has them in its graph; other modes get a copy."""

from ltx_studio.families import ModelSet
from ltx_studio.graph import Graph
from ltx_studio.media import ClipFile, PrepareInput
from ltx_studio.media.edges import low_of
from ltx_studio.models import CONTROL_MODELS
from ltx_studio.modes.fields import Controlling

GUIDE = "Control guide"
_BRANCH = ("Clip", "Clip parts", "Clip frames", "Clip crop", "Control", "IC-LoRA", "IC-LoRA parameters", GUIDE)
"""Titles in the graph of style, from the file to the guide."""


def add_branch(graph: Graph, style_template: Graph, stage_1_latent: tuple[str, str]) -> None:
    """Add the control branch of style's template to a two-stage `graph`, before `stage_1_latent` (title, input)."""
    style = style_template.to_api()
    titles = {node_id: node["_meta"]["title"] for node_id, node in style.items()}
    latent = graph.source(*stage_1_latent)
    positive, negative = (graph.source("Stage 1 guidance", name) for name in ("positive", "negative"))
    nodes = {}
    for node_id, node in style.items():
        if titles[node_id] in _BRANCH:
            inputs = {
                name: [titles[value[0]], value[1]] if isinstance(value, list) else value
                for name, value in node["inputs"].items()
            }
            nodes[titles[node_id]] = {"class_type": node["class_type"], "inputs": inputs}
    nodes["IC-LoRA"]["inputs"]["model"] = list(graph.source("Stage 1 guidance", "model"))
    nodes[GUIDE]["inputs"] |= {"latent": list(latent), "positive": list(positive), "negative": list(negative)}
    graph.add(nodes)
    graph.connect(*stage_1_latent, (GUIDE, 2))
    graph.connect("Stage 1 guidance", "model", ("IC-LoRA", 0))
    graph.connect("Stage 1 guidance", "positive", (GUIDE, 0))
    graph.connect("Stage 1 guidance", "negative", (GUIDE, 1))
    if "Stage 1 crop" in graph:
        graph.connect("Stage 1 crop", "positive", (GUIDE, 0))
        graph.connect("Stage 1 crop", "negative", (GUIDE, 1))
        return
    crop = {"positive": [GUIDE, 0], "negative": [GUIDE, 1], "latent": list(graph.source("Upscale", "samples"))}
    graph.add({"Stage 1 crop": {"class_type": "LTXVCropGuides", "inputs": crop}})
    graph.connect("Upscale", "samples", ("Stage 1 crop", 2))


def steer(graph: Graph, clip: ClipFile, how: Controlling, model_set: ModelSet, prepare: PrepareInput) -> None:
    """Set the branch's values: the clip, the map made from it, the IC-LoRA and the strengths."""
    graph["Clip"].file = prepare(clip)
    graph["IC-LoRA"].lora_name = model_set.control[how.ic_lora].file
    graph["IC-LoRA"].strength_model = how.ic_lora_strength
    graph[GUIDE].strength = how.control_strength
    if how.control == "canny" and how.edge_threshold is not None:
        graph["Control"].low_threshold, graph["Control"].high_threshold = low_of(how.edge_threshold), how.edge_threshold
    if how.control == "ready":
        graph.connect(GUIDE, "image", ("Clip crop", 0))
    elif how.control != "canny":
        nodes = CONTROL_MODELS[how.control].nodes
        graph.add({title: node for title, node in nodes.items() if title != "Control"})
        graph.replace("Control", nodes["Control"])
