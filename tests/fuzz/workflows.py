"""Targets 2, 3 and 10: workflows in both formats, and the page's fields of one."""

import json
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st

from ltx_studio.graph.form import FILES, form_of
from ltx_studio.graph.graph import check_graph
from ltx_studio.graph.safety import check_known, check_safety
from ltx_studio.graph.validate import validate
from ltx_studio.media import by_name
from ltx_studio.models.registry import load_registry
from ltx_studio.queue import WorkflowSpec
from ltx_studio.workflow_files.read import read_workflow
from tests.fuzz import graphs
from tests.fuzz.case import Case, json_case
from tests.fuzz.ground import Ground
from tests.fuzz.measure import Attempts
from tests.fuzz.values import ANYTHING, LEAVES, Json, as_text, hostile, mostly, mutate_json, storm


def read_editor(path: Path, ground: Ground, attempts: Attempts) -> None:
    """Read a workflow's file, and make its form."""
    graph = attempts(lambda: read_workflow(path, ground.definitions))
    if graph is None or not attempts.passes(lambda: check_known(graph, ground.definitions)):
        return
    fields = attempts(lambda: form_of(graph, ground.definitions))
    attempts(lambda: json.dumps([field.as_dict() for field in fields or []]))


def mutate_editor(ground: Ground, random: Random) -> Case:
    if random.random() < 0.2:
        return Case(".json", as_text(graphs.editor_shape(random), random))
    document = json.loads(random.choice(ground.editor_workflows))
    return Case(".json", as_text(mutate_json(document, random), random))


def editor_strategy(ground: Ground) -> "st.SearchStrategy[Case]":
    kinds = (
        graphs.TEXT_NODE,
        graphs.SAVE_NODE,
        graphs.SEED_NODE,
        graphs.IMAGE_NODE,
        "ImageInvert",
        "CustomCombo",
        "SaveVideo",
    )
    return mostly(graphs.editor_strategy((*kinds, *ground.classes[::40])), ANYTHING).map(json_case)


def read_own(path: Path, ground: Ground, attempts: Attempts) -> None:
    """Check a graph and what its form was filled in with, as a client sends them."""
    asked = json.loads(path.read_bytes())
    graph, values, known = asked["graph"], asked["values"], ground.definitions
    for trusted in (False, True):
        spec = attempts(
            lambda trusted=trusted: WorkflowSpec.from_request("mine", graph, values, known, trusted=trusted)  # type: ignore[misc]
        )
        if spec is not None:
            attempts(lambda spec=spec: (json.dumps(spec.as_dict()), spec.build(by_name), spec.summary()))  # type: ignore[misc]
    if attempts.passes(lambda: check_graph(graph)) and attempts.passes(lambda: check_known(graph, known)):
        attempts(lambda: check_safety(graph, known, trusted=True))
        attempts(lambda: form_of(graph, known))
        attempts(lambda: validate(graph, known))
        attempts(lambda: load_registry().needs(graph))


def mutate_own(ground: Ground, random: Random) -> Case:
    if random.random() < 0.15:
        graph = graphs.api_shape(random)
    else:
        graph = json.loads(random.choice(ground.api_graphs))
        graph = mutate_json(graph, random) if random.random() < 0.9 else graph
    values: dict[str, Json] = {}
    if isinstance(graph, dict) and graph and random.random() < 0.5:
        for _ in range(random.randint(1, 3)):
            node = graph[random.choice(list(graph))]
            inputs = node.get("inputs") if isinstance(node, dict) else None
            name = random.choice(list(inputs)) if isinstance(inputs, dict) and inputs else "x"
            values[f"{random.choice(list(graph))}.{name}"] = random.choice((hostile(random), "image.png", "clip.mp4"))
    return Case(".json", json.dumps({"graph": graph, "values": values}).encode())


def own_strategy(ground: Ground) -> "st.SearchStrategy[Case]":
    kinds = (
        graphs.TEXT_NODE,
        graphs.SAVE_NODE,
        graphs.SEED_NODE,
        graphs.IMAGE_NODE,
        "ImageInvert",
        "SaveVideo",
        "PrimitiveInt",
    )
    keys = st.sampled_from(
        ("1.image", "1.text", "2.noise_seed", "3.x", "1", "CLIP Text Encode (Prompt)", "Save Image", "", "\ud800")
    )
    asked = st.fixed_dictionaries(
        {
            "graph": mostly(graphs.api_strategy((*kinds, *ground.classes[::40])), ANYTHING),
            "values": st.dictionaries(keys, LEAVES | st.sampled_from(("image.png", "speech.wav")), max_size=2),
        }
    )
    return asked.map(lambda document: Case(".json", json.dumps(document).encode()))


def show_form(path: Path, ground: Ground, attempts: Attempts) -> None:
    """Build the fields of a workflow, and send them as the page does."""
    from gradio.routes import ORJSONResponse

    from ltx_studio.web.panels import own_fields, own_workflow

    graph = attempts(lambda: read_workflow(path, ground.definitions))
    if graph is None or not attempts.passes(lambda: check_known(graph, ground.definitions)):
        return
    fields = attempts(lambda: form_of(graph, ground.definitions)) or []
    for field in fields[: own_workflow.MOST_SHOWN]:
        if field.kind in FILES:
            shown = attempts(lambda field=field: own_workflow.file_field(field, str(path)).get_config())  # type: ignore[misc]
        else:
            shown = attempts(partial(own_fields.drawn, field))
        if shown is not None:
            attempts(partial(ORJSONResponse._render, shown))
    if fields:
        attempts(lambda: own_fields.drawn_groups(own_fields.layout_of(fields, graph)))


def mutate_form(ground: Ground, random: Random) -> Case:
    graph: dict[str, Any] = json.loads(random.choice(ground.api_graphs))
    if random.random() < 0.1:
        return Case(".json", as_text(graphs.api_shape(random), random))
    for node in graph.values():
        for name, value in node["inputs"].items():
            if not isinstance(value, list) and random.random() < 0.15:
                node["inputs"][name] = hostile(random)
        if random.random() < 0.3:
            node["_meta"] = {"title": random.choice((storm(random), "Seed", "Mine", "\ud800", "<b>x</b>"))}
    return Case(".json", as_text(graph, random))


def form_strategy(ground: Ground) -> "st.SearchStrategy[Case]":
    names = {
        graphs.TEXT_NODE: "text",
        graphs.SEED_NODE: "noise_seed",
        graphs.IMAGE_NODE: "image",
        "PrimitiveFloat": "value",
        "PrimitiveInt": "value",
        "PrimitiveBoolean": "value",
        "KSamplerSelect": "sampler_name",
        "SaveImage": "filename_prefix",
    }
    node = st.tuples(
        st.sampled_from(sorted(names)), mostly(ANYTHING, LEAVES), st.text(max_size=5) | st.sampled_from(("T", "\ud800"))
    ).map(lambda each: graphs.api_node(each[0], each[2], **{names[each[0]]: each[1]}))
    return st.dictionaries(st.sampled_from(("1", "2", "a.b", "ü", "\0")), node, max_size=4).map(json_case)
