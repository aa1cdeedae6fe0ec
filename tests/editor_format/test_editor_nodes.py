"""What only ComfyUI's editor has: set and get nodes, labels, switches for groups, nodes that are off, shared ids."""

import json
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.editor_format.convert import BYPASSED, MUTED, to_api
from ltx_studio.editor_format.editor_nodes import VIRTUAL
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Definitions
from tests.editor_format.test_convert import meaning

CASES = Path(__file__).parent / "editor_cases"
"""Workflows, and beside each what the editor 1.47.12 queues (with KJNodes where it has set and get nodes)."""

Json = dict[str, Any]


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.glob("*.json") if ".editor." not in path.name))
def test_a_case_means_what_the_editor_says(name: str, definitions: Definitions) -> None:
    workflow = json.loads((CASES / name).read_text(encoding="utf-8"))
    answer = json.loads((CASES / name).with_suffix(".editor.json").read_text(encoding="utf-8"))

    assert meaning(to_api(workflow, definitions)) == meaning(answer)


class Canvas:
    """A graph as the editor saves it, put together node by node."""

    def __init__(self) -> None:
        self.nodes: list[Json] = []
        self.links: list[list[Any]] = []

    def add(self, number: int, kind: str, feeds: tuple[Any, ...] = (), out: str = "", **more: Any) -> int:
        """Put a node there; each of `feeds` is (name, kind, number of the node that feeds it), or its output 0."""
        inputs = []
        for slot, (name, kind_of_input, origin) in enumerate(feeds):
            link = None
            if origin is not None:
                link = len(self.links) + 1
                self.links.append([link, origin, 0, number, slot, kind_of_input])
            inputs.append({"name": name, "type": kind_of_input, "link": link})
        outputs = [{"name": out, "type": out, "links": []}] if out else []
        self.nodes.append({"id": number, "type": kind, "mode": 0, "inputs": inputs, "outputs": outputs, **more})
        return number

    def image(self, number: int, **more: Any) -> int:
        return self.add(number, "EmptyImage", out="IMAGE", widgets_values=[64, 64, 1, number], **more)

    def save(self, number: int, origin: Any) -> int:
        return self.add(number, "SaveImage", (("images", "IMAGE", origin),), widgets_values=["mine"])

    def set(self, number: int, name: str, origin: Any, kind: str = "SetNode", **more: Any) -> int:
        return self.add(number, kind, (("IMAGE", "IMAGE", origin),), "*", widgets_values=[name], **more)

    def get(self, number: int, name: str, kind: str = "GetNode", **more: Any) -> int:
        return self.add(number, kind, out="IMAGE", widgets_values=[name], **more)

    def file(self, *subgraphs: Json, last: int | None = None) -> Json:
        """Return the whole as a file with these subgraphs."""
        for link in self.links:
            origin = next(node for node in self.nodes if node["id"] == link[1])
            origin["outputs"][0]["links"].append(link[0])
        top = max((node["id"] for node in self.nodes), default=0)
        file = {"last_node_id": top if last is None else last, "last_link_id": len(self.links), "version": 0.4}
        return {**file, "nodes": self.nodes, "links": self.links, "definitions": {"subgraphs": list(subgraphs)}}

    def subgraph(self, name: str, output: int | None = None) -> Json:
        """Return the whole as a subgraph that gives output 0 of node `output`."""
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        links = [dict(zip(keys, link, strict=True)) for link in self.links]
        outputs = []
        if output is not None:
            number = len(links) + 1
            links.append(dict(zip(keys, (number, output, 0, -20, 0, "IMAGE"), strict=True)))
            outputs = [{"id": f"{name}-out", "name": "IMAGE", "type": "IMAGE", "linkIds": [number]}]
        for link in links:
            origin = next(node for node in self.nodes if node["id"] == link["origin_id"])
            origin["outputs"][0]["links"].append(link["id"])
        sides = {
            "inputNode": {"id": -10, "bounding": [0, 0, 10, 10]},
            "outputNode": {"id": -20, "bounding": [0, 0, 10, 10]},
        }
        state = {"lastGroupId": 0, "lastNodeId": 0, "lastLinkId": len(links), "lastRerouteId": 0}
        head = {"id": name, "version": 1, "state": state, "revision": 0, "config": {}, "name": name, **sides}
        tail: Json = {"widgets": [], "groups": [], "extra": {}}
        return {**head, "inputs": [], "outputs": outputs, "nodes": self.nodes, "links": links, **tail}


UUID = "11111111-2222-4333-8444-{:012}"


def set_and_get(**getter: Any) -> Json:
    canvas = Canvas()
    canvas.set(2, "picture", canvas.image(1))
    canvas.save(4, canvas.get(3, "picture", **getter))
    return canvas.file()


def one_set_and_two_gets() -> Json:
    canvas = Canvas()
    canvas.set(2, "picture", canvas.image(1))
    canvas.save(5, canvas.get(3, "picture"))
    canvas.save(6, canvas.get(4, "picture"))
    return canvas.file()


def a_set_that_is_fed_by_a_get() -> Json:
    canvas = Canvas()
    canvas.set(2, "first", canvas.image(1))
    canvas.set(4, "second", canvas.get(3, "first"))
    canvas.save(6, canvas.get(5, "second"))
    return canvas.file()


def a_get_without_a_set() -> Json:
    canvas = Canvas()
    canvas.image(1)
    canvas.save(4, canvas.get(3, "nothing"))
    return canvas.file()


def two_sets_of_one_name() -> Json:
    canvas = Canvas()
    canvas.set(2, "picture", canvas.image(1))
    canvas.set(4, "picture", canvas.image(3))
    canvas.save(6, canvas.get(5, "picture"))
    return canvas.file()


def what_a_set_passes_on() -> Json:
    canvas = Canvas()
    canvas.save(3, canvas.set(2, "picture", canvas.image(1)))
    return canvas.file()


def a_muted_set() -> Json:
    canvas = Canvas()
    canvas.set(2, "picture", canvas.image(1), mode=MUTED)
    canvas.save(4, canvas.get(3, "picture"))
    return canvas.file()


def inside_a_subgraph(sets: int = 1) -> Json:
    inner, canvas = Canvas(), Canvas()
    inner.get(21, "picture")
    inner.add(22, "ImageInvert", (("image", "IMAGE", 21),), "IMAGE")
    for number in range(sets):
        canvas.set(20 - number, "picture", canvas.image(10 - number))
    canvas.save(4, canvas.add(3, UUID.format(1), out="IMAGE"))
    return canvas.file(inner.subgraph(UUID.format(1), 22))


SET_AND_GET: dict[str, tuple[Json, Json]] = {
    "plain": (set_and_get(), {"4": ["1", 0]}),
    "two gets": (one_set_and_two_gets(), {"5": ["1", 0], "6": ["1", 0]}),
    "one after the other": (a_set_that_is_fed_by_a_get(), {"6": ["1", 0]}),
    "a get without a set": (a_get_without_a_set(), {"4": None}),
    "two sets of one name": (two_sets_of_one_name(), {"6": ["1", 0]}),
    "what a set passes on": (what_a_set_passes_on(), {"3": ["1", 0]}),
    "a muted set": (a_muted_set(), {"4": ["1", 0]}),
    "a muted get": (set_and_get(mode=MUTED), {"4": None}),
    "inside a subgraph": (inside_a_subgraph(), {"3:22": ["10", 0], "4": ["3:22", 0]}),
    "inside a subgraph, two sets": (inside_a_subgraph(2), {"3:22": None, "4": ["3:22", 0]}),
}
"""Name → (workflow, id of a node that takes a picture → where from). Asked of the editor with KJNodes."""


@pytest.mark.parametrize("name", SET_AND_GET)
def test_set_and_get_are_lines_without_a_wire(name: str, definitions: Definitions) -> None:
    workflow, expected = SET_AND_GET[name]

    graph = to_api(workflow, definitions)

    taken = {key: node["inputs"] for key, node in graph.items() if node["class_type"] != "EmptyImage"}
    assert {key: inputs.get("images", inputs.get("image")) for key, inputs in taken.items()} == expected


def test_another_packs_set_and_get_are_the_same(definitions: Definitions) -> None:
    canvas = Canvas()
    canvas.set(2, "picture", canvas.image(1), "easy setNode")
    canvas.set(5, "picture", canvas.image(6))
    canvas.save(4, canvas.get(3, "picture", "easy getNode"))

    assert to_api(canvas.file(), definitions)["4"]["inputs"]["images"] == ["1", 0]


FRONT_END_ONLY = {
    "Random Unmuter (rgthree)",
    "Node Combiner (rgthree)",
    "Power Conductor (rgthree)",
    "easy bookmark",
    "TS_Bookmark",
    "mxReroute",
}


@pytest.mark.parametrize("kind", sorted(VIRTUAL | FRONT_END_ONLY))
def test_a_node_of_the_editor_need_not_be_installed_and_leaves_no_trace(kind: str, definitions: Definitions) -> None:
    canvas = Canvas()
    canvas.save(2, canvas.image(1))
    canvas.add(3, kind, widgets_values=["anything"], properties={"cnr_id": "rgthree-comfy"})

    assert set(to_api(canvas.file(), definitions)) == {"1", "2"}


@pytest.mark.parametrize("kind", ["Reroute (rgthree)", "Node Collector (rgthree)", "Reroute", "mxReroute"])
def test_what_passes_on_is_seen_through(kind: str, definitions: Definitions) -> None:
    canvas = Canvas()
    canvas.save(3, canvas.add(2, kind, (("", "*", canvas.image(1)),), "*"))

    assert to_api(canvas.file(), definitions)["3"]["inputs"]["images"] == ["1", 0]


@pytest.mark.parametrize("mode", [MUTED, BYPASSED])
def test_a_muted_subgraph_need_not_have_its_nodes_installed(mode: int, definitions: Definitions) -> None:
    inner, canvas = Canvas(), Canvas()
    inner.add(21, "SomePackUpscaler", out="IMAGE")
    canvas.save(4, canvas.image(1))
    canvas.add(3, UUID.format(1), out="IMAGE", mode=mode)

    assert set(to_api(canvas.file(inner.subgraph(UUID.format(1), 21)), definitions)) == {"1", "4"}


def test_an_unknown_node_deep_inside_what_is_used_is_named(definitions: Definitions) -> None:
    deep, inner, canvas = Canvas(), Canvas(), Canvas()
    deep.add(31, "SomePackUpscaler", out="IMAGE")
    inner.add(21, UUID.format(2), out="IMAGE", mode=MUTED)  # in a subgraph, the editor queues what is muted, too
    canvas.add(3, UUID.format(1), out="IMAGE")
    file = canvas.file(inner.subgraph(UUID.format(1), 21), deep.subgraph(UUID.format(2), 31))

    with pytest.raises(WorkflowError, match="SomePackUpscaler"):
        to_api(file, definitions)


def test_a_node_that_waits_for_an_unknown_one_that_is_off_is_read(definitions: Definitions) -> None:
    canvas = Canvas()
    upscaler = canvas.add(2, "SomePackUpscaler", (("image", "IMAGE", canvas.image(1)),), "IMAGE", mode=BYPASSED)
    canvas.save(3, upscaler)

    assert to_api(canvas.file(), definitions)["3"]["inputs"]["images"] == ["1", 0]


def blended(*numbers: int, last: int) -> Json:
    """Pictures blended in a subgraph whose ids are `numbers`, the last of which blends; outside are 8 and 9."""
    inner, canvas = Canvas(), Canvas()
    *pictures, end = numbers
    for number in pictures:
        inner.image(number)
    feeds = tuple((f"image{place}", "IMAGE", number) for place, number in enumerate(pictures[:2], 1))
    inner.add(end, "ImageBlend", feeds, "IMAGE", widgets_values=[0.5, "normal"])
    canvas.save(9, canvas.add(8, UUID.format(1), out="IMAGE"))
    return canvas.file(inner.subgraph(UUID.format(1), end), last=last)


SHARED_IDS: dict[str, tuple[Json, set[str]]] = {
    "the next number is taken": (blended(10, 9, 12, last=9), {"9", "8:10", "8:11", "8:12"}),
    "the counter stands low": (blended(9, 8, 7, last=0), {"9", "8:1", "8:2", "8:7"}),
    "the counter stands high": (blended(9, 100, 8, last=50), {"9", "8:51", "8:100", "8:101"}),
    "each id raises the counter": (blended(40, 9, 41, last=9), {"9", "8:40", "8:41", "8:42"}),
}
"""Name → (workflow, the ids that the editor queues)."""


@pytest.mark.parametrize("name", SHARED_IDS)
def test_new_ids_are_those_of_the_editor(name: str, definitions: Definitions) -> None:
    workflow, expected = SHARED_IDS[name]

    graph = to_api(workflow, definitions)

    assert set(graph) == expected
    blend = next(node["inputs"] for node in graph.values() if node["class_type"] == "ImageBlend")
    assert len({blend["image1"][0], blend["image2"][0]}) == 2


def test_two_uses_of_two_subgraphs_with_the_same_ids_keep_all_nodes(definitions: Definitions) -> None:
    canvas, inner = Canvas(), [Canvas(), Canvas()]
    for each in inner:
        each.add(6, "ImageInvert", (("image", "IMAGE", each.image(5)),), "IMAGE")
    for number in range(4):
        canvas.save(number + 5, canvas.add(number + 1, UUID.format(number % 2), out="IMAGE"))
    subgraphs = [each.subgraph(UUID.format(number), 6) for number, each in enumerate(inner)]

    graph = to_api(canvas.file(*subgraphs), definitions)

    assert len(graph) == 4 + 4 * 2
    assert len({graph[str(number)]["inputs"]["images"][0] for number in range(5, 9)}) == 4


def test_values_by_name_come_first(definitions: Definitions) -> None:
    canvas = Canvas()
    canvas.save(2, canvas.image(1, widgets_values_named={"width": 320, "color": 7}))

    inputs = to_api(canvas.file(), definitions)["1"]["inputs"]

    assert inputs == {"width": 320, "height": 64, "batch_size": 1, "color": 7}


def group_of(*nodes: Json, values: list[Any]) -> Json:
    canvas = Canvas()
    feeds = (("image", "IMAGE", canvas.image(1)),)
    canvas.save(4, canvas.add(3, "workflow>Mine", feeds, "IMAGE", widgets_values=values))
    links = [[place, 0, place + 1, 0, place + 1, "IMAGE"] for place in range(len(nodes) - 1)]
    group = {"nodes": [{**node, "index": place} for place, node in enumerate(nodes)], "links": links, "external": []}
    return {**canvas.file(), "extra": {"groupNodes": {"Mine": group}}}


def inner(kind: str, **more: Any) -> Json:
    socket = {"name": "image", "type": "IMAGE", "link": None}
    return {"type": kind, "inputs": [socket], "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": []}], **more}


def test_values_of_a_group_node_reach_choices_in_their_place(definitions: Definitions) -> None:
    """The editor 1.47 takes a choice that is declared as a list for a socket, and so puts the word into the width."""
    scale = inner("ImageScale", widgets_values=["bilinear", 320, 240, "center"])

    graph = to_api(group_of(inner("ImageInvert"), scale, values=["area", 64, 48, "disabled"]), definitions)

    given = next(node["inputs"] for node in graph.values() if node["class_type"] == "ImageScale")
    assert {name: given[name] for name in ("upscale_method", "width", "height", "crop")} == {
        "upscale_method": "area",
        "width": 64,
        "height": 48,
        "crop": "disabled",
    }


def test_an_upload_button_in_a_group_node_comes_after_its_nodes_other_widgets(definitions: Definitions) -> None:
    mask = {"type": "LoadImageMask", "outputs": [{"name": "MASK", "type": "MASK"}]}
    mask |= {"widgets_values": ["old.png", "alpha", "image"]}
    repeat = {"type": "RepeatImageBatch", "widgets_values": [1], "outputs": [{"name": "IMAGE", "type": "IMAGE"}]}

    graph = to_api(group_of(mask, repeat, values=["new.png", "red", "image", 6]), definitions)

    inputs = {node["class_type"]: node["inputs"] for node in graph.values()}
    assert inputs["LoadImageMask"] == {"image": "new.png", "channel": "red"}
    assert inputs["RepeatImageBatch"]["amount"] == 6


def test_a_primitive_in_a_group_node_gives_its_value(definitions: Definitions) -> None:
    """The editor 1.47 forgets it on the way to the subgraph."""
    canvas = Canvas()
    primitive = {"type": "PrimitiveNode", "index": 0, "widgets_values": [4, "fixed"], "outputs": [{"type": "INT"}]}
    amount = {"name": "amount", "type": "INT", "link": None, "widget": {"name": "amount"}}
    repeat = inner("RepeatImageBatch", widgets_values=[1], index=1)
    repeat["inputs"].append(amount)
    group = {"nodes": [primitive, repeat], "links": [[0, 0, 1, 1, 1, "INT"]], "external": []}
    feeds = (("image", "IMAGE", canvas.image(1)),)
    canvas.save(4, canvas.add(3, "workflow>More", feeds, "IMAGE", widgets_values=[6, "fixed"]))

    graph = to_api({**canvas.file(), "extra": {"groupNodes": {"More": group}}}, definitions)

    assert next(node for node in graph.values() if node["class_type"] == "RepeatImageBatch")["inputs"]["amount"] == 6


def test_an_unknown_node_in_a_group_node_is_named(definitions: Definitions) -> None:
    with pytest.raises(WorkflowError, match="SomePackUpscaler"):
        to_api(group_of(inner("ImageInvert"), inner("SomePackUpscaler"), values=[]), definitions)


def test_a_group_node_that_the_file_does_not_define_is_named(definitions: Definitions) -> None:
    file = group_of(inner("ImageInvert"), values=[])

    with pytest.raises(WorkflowError, match="workflow>Mine"):
        to_api({**file, "extra": {}}, definitions)
