"""Hostile workflows, built: subgraphs in each other, circles, chains, texts; and strategies for both formats."""

from collections.abc import Callable, Sequence
from random import Random

from hypothesis import strategies as st

from tests.fuzz.values import ANYTHING, LEAVES, Json, hostile, mostly, storm

TEXT_NODE, SAVE_NODE, SEED_NODE, IMAGE_NODE = "CLIPTextEncode", "SaveImage", "RandomNoise", "LoadImage"
INPUT_SIDE, OUTPUT_SIDE = -10, -20
"""The ids that stand for a subgraph's inputs and outputs inside of it."""


def node(number: Json, kind: str, **more: Json) -> dict[str, Json]:
    """Return a node in editor format."""
    return {"id": number, "type": kind, "mode": 0, "inputs": [], "outputs": [], "widgets_values": [], **more}


def workflow(
    nodes: list[Json], links: Sequence[Json] = (), subgraphs: Sequence[Json] = (), **more: Json
) -> dict[str, Json]:
    """Return a workflow in editor format."""
    kept = {"last_node_id": len(nodes), "nodes": nodes, "links": list(links), "version": 0.4}
    return kept | ({"definitions": {"subgraphs": list(subgraphs)}} if subgraphs else {}) | more


def subgraph(name: str, nodes: list[Json], links: Sequence[Json] = (), **more: Json) -> dict[str, Json]:
    return {"id": name, "name": name, "nodes": nodes, "links": list(links), "inputs": [], "outputs": [], **more}


def expansion(width: int, depth: int, leaf: str = IMAGE_NODE) -> dict[str, Json]:
    """Return subgraphs in subgraphs: width ** depth nodes of `leaf`."""
    levels = [
        subgraph(f"s{level}", [node(index, f"s{level + 1}" if level < depth - 1 else leaf) for index in range(width)])
        for level in range(depth)
    ]
    return workflow([node(1, "s0")], (), levels)


def ring(count: int) -> dict[str, Json]:
    """Return subgraphs that hold each other in a circle."""
    levels = [subgraph(f"s{level}", [node(1, f"s{(level + 1) % count}")]) for level in range(count)]
    return workflow([node(1, "s0")], (), levels)


def passed_on(count: int, kind: str, mode: int = 0, *, closed: bool = False) -> dict[str, Json]:
    """Return a chain of nodes that only pass on, such as reroutes, before a node that saves; closed: in a circle."""
    chain = [
        node(
            index,
            kind,
            mode=mode,
            inputs=[{"name": "images", "type": "IMAGE", "link": index - 1 if index else count if closed else None}],
            outputs=[{"name": "", "type": "*", "links": [index]}],
        )
        for index in range(count)
    ]
    links = [[index, index, 0, index + 1, 0, "IMAGE"] for index in range(count)]
    links += [[count, count - 1, 0, 0, 0, "IMAGE"]] if closed else []
    end = node(count, SAVE_NODE, inputs=[{"name": "images", "type": "IMAGE", "link": count - 1}], widgets_values=["x"])
    return workflow([*chain, end], links)


def promoted(width: int, depth: int, *, mirrored: bool = False) -> dict[str, Json]:
    """Return subgraphs whose inputs show the widgets of those inside."""
    levels = []
    for level in range(depth):
        inner = f"s{level + 1}" if level < depth - 1 else TEXT_NODE
        inputs = [{"name": f"i{slot}", "type": "STRING", "linkIds": [slot]} for slot in range(width)]
        sockets = [
            {
                "name": f"i{slot}" if level < depth - 1 else "text",
                "type": "STRING",
                "link": slot,
                "widget": {"name": "text"},
            }
            for slot in range(width)
        ]
        properties = {"proxyWidgets": [["1", "text"]]} if mirrored else {}
        held = node(1, inner, inputs=sockets, widgets_values=["a"] * width, properties=properties)
        links = [
            {
                "id": slot,
                "origin_id": INPUT_SIDE,
                "origin_slot": slot,
                "target_id": 1,
                "target_slot": slot,
                "type": "STRING",
            }
            for slot in range(width)
        ]
        levels.append(subgraph(f"s{level}", [held], links, inputs=inputs))
    return workflow([node(1, "s0", widgets_values=["b"] * width)], (), levels)


def grouped(count: int, uses: int) -> dict[str, Json]:
    """Return old group nodes of so many nodes in a row."""
    socket = {"name": "image", "type": "IMAGE", "link": None}
    inside = [node(None, "ImageInvert", index=place, inputs=[socket]) for place in range(count)]
    links = [[place, 0, place + 1, 0, place + 1, "IMAGE"] for place in range(count - 1)]
    groups: Json = {"Mine": {"nodes": inside, "links": links, "external": []}}
    return workflow([node(place, "workflow>Mine") for place in range(uses)], extra={"groupNodes": groups})


def set_and_get(count: int, names: int) -> dict[str, Json]:
    """Return setters that are fed by getters of other names."""
    setters = [
        node(place, "SetNode", inputs=[{"name": "*", "type": "*", "link": place}], widgets_values=[f"n{place % names}"])
        for place in range(count)
    ]
    getters = [
        node(count + place, "GetNode", outputs=[{"type": "*", "links": [place]}], widgets_values=[f"n{place // 2}"])
        for place in range(count)
    ]
    links = [[place, count + place, 0, place, 0, "*"] for place in range(count)]
    end = node(2 * count, SAVE_NODE, inputs=[{"name": "images", "type": "IMAGE", "link": count}])
    return workflow([*setters, *getters, end], [*links, [count, count + count - 1, 0, 2 * count, 0, "IMAGE"]])


def many(count: int, kind: str = SEED_NODE) -> dict[str, Json]:
    """Return so many nodes without links."""
    return workflow([node(index, kind, widgets_values=[index]) for index in range(count)])


def text(value: Json) -> dict[str, Json]:
    """Return one node with a text, which the editor reads as a dynamic prompt."""
    return workflow([node(1, TEXT_NODE, widgets_values=[value])])


_EDITOR_SHAPES: tuple[Callable[[Random], Json], ...] = (
    lambda random: expansion(random.randint(1, 12), random.randint(1, 30)),
    lambda random: ring(random.randint(1, 5)),
    lambda random: passed_on(random.choice((3, 50, 900, 5000)), "Reroute", closed=random.random() < 0.5),
    lambda random: passed_on(random.choice((3, 50, 900)), "ImageInvert", 4, closed=random.random() < 0.5),
    lambda random: promoted(random.randint(1, 8), random.randint(1, 12), mirrored=random.random() < 0.5),
    lambda random: many(random.choice((10, 300, 3000)), random.choice((SEED_NODE, TEXT_NODE, "Note", "PrimitiveNode"))),
    lambda random: grouped(random.choice((1, 3, 50, 4000)), random.choice((1, 5, 400))),
    lambda random: set_and_get(random.choice((1, 10, 4000)), random.choice((1, 7, 4000))),
    lambda random: text(storm(random)),
    lambda random: text(hostile(random)),
    lambda random: many(5) | {"last_node_id": hostile(random)},
)


def editor_shape(random: Random) -> Json:
    """Return a built workflow in editor format."""
    return random.choice(_EDITOR_SHAPES)(random)


def api_node(kind: str, title: Json = None, **inputs: Json) -> dict[str, Json]:
    """Return a node in API format."""
    return {"class_type": kind, "inputs": inputs, **({} if title is None else {"_meta": {"title": title}})}


def api_chain(count: int, *, closed: bool = False) -> dict[str, Json]:
    """Return pictures inverted again and again, then saved; closed: in a circle."""
    graph = {str(index): api_node("ImageInvert", image=[str(index - 1), 0]) for index in range(1, count)}
    first = (
        api_node("ImageInvert", image=[str(count - 1), 0]) if closed else api_node("EmptyImage", width=64, height=64)
    )
    saved = api_node(SAVE_NODE, images=[str(count - 1), 0], filename_prefix="x")
    return {"0": first, **graph, "save": saved}


def api_many(count: int) -> dict[str, Json]:
    """Return so many nodes that a form shows."""
    return {str(index): api_node(SEED_NODE, f"Seed {index}", noise_seed=index) for index in range(count)}


def api_fan(count: int, width: int) -> dict[str, Json]:
    """Return nodes that each take the outputs of many: the paths through them are width ** count."""
    graph = {"0": api_node("EmptyImage", width=64, height=64, batch_size=1, color=0)}
    for index in range(1, count):
        links = {f"images.image{slot}": [str(index - 1), 0] for slot in range(width)}
        graph[str(index)] = api_node("BatchImagesNode", **links)
    return graph | {"save": api_node(SAVE_NODE, images=[str(count - 1), 0], filename_prefix="x")}


_API_SHAPES: tuple[Callable[[Random], Json], ...] = (
    lambda random: api_chain(random.choice((2, 40, 1500, 4000)), closed=random.random() < 0.4),
    lambda random: api_many(random.choice((1, 100, 3000))),
    lambda random: api_fan(random.choice((3, 30, 200)), random.choice((2, 5, 20))),
    lambda random: {"1": api_node(TEXT_NODE, storm(random), text=storm(random))},
    lambda random: {"1": api_node(SAVE_NODE, filename_prefix=hostile(random), images=hostile(random))},
    lambda random: {"1": api_node(IMAGE_NODE, hostile(random), image=hostile(random))},
    lambda random: {storm(random): api_node(SEED_NODE, noise_seed=hostile(random))},
)


def api_shape(random: Random) -> Json:
    """Return a built graph in API format."""
    return random.choice(_API_SHAPES)(random)


PROMOTED = LEAVES | st.lists(
    st.tuples(st.sampled_from(("-1", "0", "1", "2", "6")), st.sampled_from(("text", "i0", "1: text", "value"))).map(
        list
    ),
    max_size=3,
)


def editor_strategy(kinds: Sequence[str]) -> "st.SearchStrategy[Json]":
    """Draw workflows in editor format: few ids, so that links meet, subgraphs hold each other and ids are double."""
    ids = mostly(st.integers(-1, 6), st.sampled_from((INPUT_SIDE, OUTPUT_SIDE)) | LEAVES)
    slots = mostly(st.integers(0, 2))
    graphs = ("s0", "s1", "s2")
    front = ("Reroute", "PrimitiveNode", "Note", "SetNode", "GetNode", "workflow>Mine")
    kind = st.sampled_from((*kinds, *graphs, *graphs, *front))
    types = st.sampled_from(("IMAGE", "*", "STRING", "INT", "", "IMAGE,MASK"))
    socket = st.fixed_dictionaries(
        {"name": mostly(st.sampled_from(("images", "text", "image", "noise_seed", "i0", "i1"))), "type": mostly(types)},
        optional={
            "link": ids,
            "links": mostly(st.lists(ids, max_size=3)),
            "linkIds": mostly(st.lists(ids, max_size=3)),
            "widget": mostly(st.fixed_dictionaries({"name": mostly(st.sampled_from(("text", "noise_seed", "i0")))})),
        },
    )
    sockets = mostly(st.lists(socket, max_size=3))
    nodes = st.lists(
        mostly(
            st.fixed_dictionaries(
                {"id": ids, "type": mostly(kind)},
                optional={
                    "mode": mostly(st.sampled_from((0, 2, 4))),
                    "inputs": sockets,
                    "outputs": sockets,
                    "widgets_values": mostly(st.lists(LEAVES, max_size=4), ANYTHING),
                    "title": mostly(st.text(max_size=5)),
                    "properties": mostly(
                        st.fixed_dictionaries({}, optional={"proxyWidgets": PROMOTED, "cnr_id": LEAVES})
                    ),
                },
            )
        ),
        max_size=6,
    )
    as_list = st.tuples(ids, ids, slots, ids, slots, types).map(list)
    keys = ("id", "origin_id", "target_id")
    as_object = st.fixed_dictionaries(
        {**dict.fromkeys(keys, ids), "origin_slot": slots, "target_slot": slots, "type": types}
    )
    parts = {"nodes": mostly(nodes), "links": mostly(st.lists(mostly(as_list | as_object), max_size=6))}
    inner = st.fixed_dictionaries(
        {"id": mostly(st.sampled_from(graphs)), **parts}, optional={"inputs": sockets, "outputs": sockets}
    )
    held = st.fixed_dictionaries({"subgraphs": mostly(st.lists(mostly(inner), max_size=4))})
    return st.fixed_dictionaries(
        {"nodes": nodes, "links": parts["links"]}, optional={"last_node_id": mostly(ids), "definitions": mostly(held)}
    )


def api_strategy(kinds: Sequence[str]) -> "st.SearchStrategy[Json]":
    """Draw graphs in API format."""
    names = (
        "image",
        "images",
        "text",
        "noise_seed",
        "filename_prefix",
        "ckpt_name",
        "codec",
        "codec.x",
        "a.b",
        "seed",
        "value",
    )
    link = st.tuples(mostly(st.sampled_from(("1", "2", "3"))), mostly(st.integers(0, 2))).map(list)
    inputs = st.dictionaries(
        mostly(st.sampled_from(names), st.sampled_from((*WORDS_AS_KEYS,))), mostly(link | LEAVES, ANYTHING), max_size=5
    )
    each = st.fixed_dictionaries(
        {"class_type": mostly(st.sampled_from(kinds)), "inputs": mostly(inputs)},
        optional={"_meta": mostly(st.fixed_dictionaries({}, optional={"title": mostly(st.text(max_size=6))}))},
    )
    return st.dictionaries(st.sampled_from(("1", "2", "3", "", "1.x", "\0", "ü")), mostly(each), max_size=5)


WORDS_AS_KEYS = ("", "\ud800", "a.b.c", "__value__", "..", "\0", "x" * 300)
