import json
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.errors import WorkflowError
from ltx_studio.families.ltx_2_3 import load_template
from ltx_studio.graph import Fragment, Graph, check_graph, read_graph
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.validate import validate


def node(class_type: str, title: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": title}}


def example() -> Graph:
    return Graph(
        {
            "1": node("Loader", "Model", name="big"),
            "2": node("Encode", "Prompt", model=["1", 0], text="", **{"codec.crf": 18}),
            "3": node("Save", "Save", image=["2", 0], vae=["1", 2]),
        }
    )


def test_a_node_is_addressed_by_its_title() -> None:
    graph = example()

    graph["Prompt"].text = "a red ball"
    graph["Prompt"]["codec.crf"] = 20

    assert graph["Prompt"].text == "a red ball"
    assert graph.to_api()["2"]["inputs"] == {"model": ["1", 0], "text": "a red ball", "codec.crf": 20}


def test_a_node_without_a_title_goes_by_its_class() -> None:
    assert "Save" in Graph({"9": {"class_type": "Save", "inputs": {}}})


@pytest.mark.parametrize(
    ("title", "name", "said"),
    [
        ("Promt", "text", "no node titled 'Promt'"),
        ("Prompt", "txt", "no input 'txt'"),
        ("Prompt", "model", "connected to another node"),
    ],
)
def test_setting_what_cannot_be_set_names_the_problem(title: str, name: str, said: str) -> None:
    with pytest.raises(WorkflowError, match=said) as caught:
        example().set_input(title, name, 1)

    assert caught.value.hint


def test_two_equal_titles_are_refused() -> None:
    with pytest.raises(WorkflowError, match="Two nodes are titled 'Model'"):
        Graph({"1": node("A", "Model"), "2": node("B", "Model")})


def test_a_graph_owns_its_data() -> None:
    source = {"1": node("Loader", "Model", options=[1, 2, 3])}
    graph = Graph(source)

    graph["Model"].options.append(4)
    graph.to_api()["1"]["inputs"]["options"].append(5)

    assert source["1"]["inputs"]["options"] == [1, 2, 3]
    assert graph["Model"].options == [1, 2, 3, 4]


OLD = Fragment({"Model": node("Loader", "Model", name="big")}, {"model": ("Model", 0), "vae": ("Model", 2)})


def test_attach_rewires_every_user_of_the_old_loaders_and_removes_them() -> None:
    graph = example()
    new = Fragment(
        {
            "Transformer": node("UNETLoader", "Transformer", name="small"),
            "LoRA": node("LoraLoader", "LoRA", model=["Transformer", 0]),
            "VAE": node("VAELoader", "VAE", name="vae"),
        },
        {"model": ("LoRA", 0), "vae": ("VAE", 0), "unused": ("VAE", 1)},
    )

    graph.attach(new, instead_of=OLD)

    api = graph.to_api()
    assert "Model" not in graph
    assert api[graph["LoRA"].id]["inputs"]["model"] == [graph["Transformer"].id, 0]
    assert graph["Prompt"].model == [graph["LoRA"].id, 0]
    assert graph["Save"].vae == [graph["VAE"].id, 0]
    assert len(api) == 5


def test_attach_refuses_loaders_that_lack_what_the_graph_uses() -> None:
    with pytest.raises(WorkflowError, match="do not provide vae"):
        example().attach(Fragment({"T": node("UNETLoader", "T")}, {"model": ("T", 0)}), instead_of=OLD)


def test_a_bypassed_node_hands_its_users_what_it_was_fed(definitions: Definitions) -> None:
    graph = load_template("t2v")
    model = graph["Distilled LoRA"].model

    graph.bypass("Distilled LoRA", definitions)

    assert "Distilled LoRA" not in graph
    assert graph["Stage 1 guidance"].model == graph["Stage 2 guidance"].model == model
    validate(graph.to_api(), definitions)


def test_a_node_that_makes_something_new_cannot_be_bypassed(definitions: Definitions) -> None:
    graph = load_template("t2v")
    before = graph.to_api()

    with pytest.raises(WorkflowError, match="'Decode video' cannot be bypassed: it has no IMAGE input"):
        graph.bypass("Decode video", definitions)

    assert graph.to_api() == before


def test_an_inserted_node_stands_before_one_user_only(definitions: Definitions) -> None:
    graph = load_template("t2v")
    before = graph["Stage 1 guidance"].model
    camera = {
        "class_type": "LoraLoaderModelOnly",
        "inputs": {"model": None, "lora_name": "a.safetensors", "strength_model": 1},
    }

    graph.insert("Camera", camera, on=("Stage 1 guidance", "model"), through="model")

    assert graph["Stage 1 guidance"].model == [graph["Camera"].id, 0]
    assert graph["Camera"].model == before == graph["Stage 2 guidance"].model
    validate(graph.to_api(), definitions)


@pytest.mark.parametrize(
    ("title", "on", "said"),
    [
        ("New", ("Prompt", "text"), "is not connected"),
        ("Seed", ("Prompt", "clip"), "titled 'Seed'"),
        ("New", ("X", "y"), "no node"),
    ],
)
def test_an_insert_that_cannot_be_is_refused(title: str, on: tuple[str, str], said: str) -> None:
    with pytest.raises(WorkflowError, match=said):
        load_template("t2v").insert(title, {"class_type": "A", "inputs": {}}, on=on, through="model")


def test_the_templates_load_as_independent_copies() -> None:
    first = load_template("t2v")
    first["Prompt"].text = "changed"

    assert load_template("t2v")["Prompt"].text != "changed"


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), ("{", "not JSON"), ("[1]", "not an API-format"), ('{"1": {}}', "class_type")],
)
def test_a_file_that_is_no_graph_is_refused_in_words(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "graph.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(WorkflowError, match=said):
        read_graph(path)


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (None, "not a JSON object"),
        ([], "not a JSON object"),
        ({"1": None}, "Node '1'"),
        ({"1": {"class_type": ["Save"], "inputs": {}}}, "class_type"),
        ({"1": {"class_type": "Save"}}, "no inputs"),
        ({"1": {"class_type": "Save", "inputs": []}}, "no inputs"),
        ({"1": {"class_type": "Save", "inputs": {}, "_meta": None}}, "title"),
        ({"1": {"class_type": "Save", "inputs": {}, "_meta": {"title": ["x"]}}}, "title"),
        ({"1": {"class_type": "Save", "inputs": {"image": ["9", 0]}}}, "comes from node '9'"),
        ({"1": {"class_type": "Guide", "inputs": {"cfg": float("nan")}}}, "not a finite number"),
        ({1: {"class_type": "Save", "inputs": {}}}, "Node 1"),
    ],
)
def test_what_is_no_graph_is_refused_in_words(graph: object, said: str) -> None:
    with pytest.raises(WorkflowError, match=said) as caught:
        check_graph(graph)

    assert caught.value.hint


def test_the_template_files_are_plain_api_format() -> None:
    data = json.loads((Path(__file__).parents[2] / "ltx_studio/families/ltx_2_3/templates/t2v.json").read_text())

    assert all(key.isdigit() and {"class_type", "inputs", "_meta"} == set(value) for key, value in data.items())


def test_a_connection_takes_the_place_of_another() -> None:
    graph = example()

    graph.connect("Save", "image", ("Model", 1))
    graph.connect("Save", "mask", ("Prompt", 0))

    assert graph.source("Save", "image") == ("Model", 1)
    assert graph.source("Save", "mask") == ("Prompt", 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda graph: graph.connect("Save", "image", ("Gone", 0)), "no node titled 'Gone'"),
        (lambda graph: graph.connect("Gone", "image", ("Model", 0)), "no node titled 'Gone'"),
        (lambda graph: graph.disconnect("Save", "audio"), "no input 'audio'"),
        (lambda graph: graph.source("Prompt", "text"), "is not connected"),
        (lambda graph: graph.insert_after(("Gone", 0), "LoRA", {}, through="model"), "no node titled 'Gone'"),
        (lambda graph: graph.replace("Gone", {"class_type": "A", "inputs": {}}), "no node titled 'Gone'"),
        (lambda graph: graph.replace("Prompt", {"class_type": "A", "inputs": {"text": None}}), "is not connected"),
        (lambda graph: graph.prune("Gone"), "no node titled 'Gone'"),
    ],
)
def test_a_change_of_what_is_not_there_names_it(change: Any, said: str) -> None:
    with pytest.raises(WorkflowError, match=said):
        change(example())


def test_an_input_can_be_left_open() -> None:
    graph = example()

    graph.disconnect("Save", "vae")

    assert graph.to_api()["3"]["inputs"] == {"image": ["2", 0]}


def test_a_node_behind_an_output_feeds_all_its_users() -> None:
    graph = example()
    graph.connect("Save", "model", ("Model", 0))

    graph.insert_after(("Model", 0), "LoRA", {"class_type": "Lora", "inputs": {"file": "a"}}, through="model")

    assert graph.source("LoRA", "model") == ("Model", 0)
    assert graph.source("Prompt", "model") == graph.source("Save", "model") == ("LoRA", 0)
    assert graph.source("Save", "vae") == ("Model", 2)


def test_a_replaced_node_keeps_its_users_and_the_links_that_both_have() -> None:
    graph = example()

    graph.replace("Prompt", {"class_type": "Other", "inputs": {"model": None, "level": 3, "extra": ["Model", 1]}})

    assert graph.class_type("Prompt") == "Other"
    assert graph.to_api()["2"]["inputs"] == {"model": ["1", 0], "level": 3, "extra": ["1", 1]}
    assert graph.source("Save", "image") == ("Prompt", 0)


def test_pruning_leaves_what_the_outputs_need() -> None:
    graph = example()
    graph.add({"Lonely": {"class_type": "Loader", "inputs": {"model": ["Model", 0]}}})

    graph.prune("Prompt")

    assert set(graph) == {"Model", "Prompt"}
