"""Whatever a workflow's file says, reading it takes bounded work and ends in a graph or in the studio's own words."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ltx_studio import limits, sandbox
from ltx_studio.editor_format import convert
from ltx_studio.editor_format.convert import BYPASSED, SUBGRAPH_INPUT, to_api
from ltx_studio.editor_format.draw import to_editor
from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.errors import RequestError, StudioError, WorkflowError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.form import FieldIndex, fill, form_of
from ltx_studio.graph.graph import check_graph
from ltx_studio.graph.phases import phases_of
from ltx_studio.graph.safety import check_safety
from ltx_studio.graph.validate import validate
from ltx_studio.settings import Settings
from ltx_studio.workflow_files.read import read_with_form, read_workflow
from tests.graph.test_form import node
from tests.support import TEMPLATES

Json = dict[str, Any]
EMPTY = {"type": "EmptyImage", "widgets_values": [512, 512, 1, 0], "outputs": [{"type": "IMAGE"}]}


@pytest.fixture
def snapshot(definitions: Definitions, settings: Settings) -> Path:
    return snapshot_path(settings)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many steps each conversion takes along its links, one number for each call of `_spend`."""
    taken: list[int] = []
    spend = convert._Converter._spend

    def counted(self: convert._Converter, count: int) -> None:
        taken.append(count)
        spend(self, count)

    monkeypatch.setattr(convert._Converter, "_spend", counted)
    return taken


def workflow(nodes: list[Json], links: list[Any] | None = None, subgraphs: list[Json] | None = None) -> Json:
    return {"last_node_id": 9, "nodes": nodes, "links": links or [], "definitions": {"subgraphs": subgraphs or []}}


def subgraph(name: str, nodes: list[Json], links: list[Any] | None = None, **more: Any) -> Json:
    return {"id": name, "name": name, "nodes": nodes, "links": links or [], "inputs": [], "outputs": [], **more}


def nested(width: int, depth: int, innermost: Json = EMPTY) -> Json:
    """`width` uses of a subgraph of `width` uses of … `depth` deep."""
    levels = [subgraph("s0", [{"id": 1, **innermost}])]
    for level in range(1, depth):
        levels.append(subgraph(f"s{level}", [{"id": i, "type": f"s{level - 1}"} for i in range(width)]))
    return workflow([{"id": i, "type": f"s{depth - 1}"} for i in range(width)], subgraphs=levels)


# Subgraphs


@pytest.mark.parametrize(("width", "depth"), [(10, 6), (2, 22), (2, 32), (150, 2), (20_001, 1), (3, 10), (1000, 31)])
def test_nodes_are_counted_before_subgraphs_are_unpacked(
    width: int, depth: int, definitions: Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert._Converter, "_emit", lambda *_: pytest.fail("it was unpacked"))

    with pytest.raises(WorkflowError, match="with its subgraphs unpacked has more than 20,000 nodes"):
        to_api(nested(width, depth), definitions)


def test_subgraphs_within_the_limit_are_unpacked(definitions: Definitions) -> None:
    assert len(to_api(nested(10, 3), definitions)) == 1000
    assert len(to_api(nested(1, 32), definitions)) == 1


def test_subgraphs_that_are_too_deep_are_refused(definitions: Definitions) -> None:
    for depth in (33, 500, 5000):
        with pytest.raises(WorkflowError, match="more than 32 levels of nested subgraphs"):
            to_api(nested(1, depth), definitions)


@pytest.mark.parametrize("length", [1, 2, 20])
def test_a_subgraph_that_contains_itself_is_named(length: int, definitions: Definitions) -> None:
    ring = [subgraph(f"s{i}", [{"id": 1, "type": f"s{(i + 1) % length}"}]) for i in range(length)]

    with pytest.raises(WorkflowError, match="The subgraph 's0' contains itself"):
        to_api(workflow([{"id": 7, "type": "s0"}], subgraphs=ring), definitions)


def test_notes_in_subgraphs_count_although_they_leave_nothing(definitions: Definitions) -> None:
    with pytest.raises(WorkflowError, match="more than 20,000 nodes"):
        to_api(nested(20, 5, {"type": "Note"}), definitions)


def test_a_text_in_a_subgraph_counts_each_time_it_is_used(definitions: Definitions) -> None:
    long = {"type": "PrimitiveStringMultiline", "widgets_values": ["x" * 90_000]}

    with pytest.raises(WorkflowError, match=r"with its subgraphs unpacked has more than 33.6 MB"):
        to_api(nested(20, 3, long), definitions)


def promoting(levels: int, inputs: int, uses: int) -> Json:
    """Subgraphs inside each other, of whose inputs each feeds the one of that name further inside."""
    names = [f"text{i}" for i in range(inputs)]
    sockets = [{"name": name, "type": "STRING", "linkIds": [i + 1]} for i, name in enumerate(names)]
    links = [[i + 1, SUBGRAPH_INPUT, i, 1, i, "STRING"] for i in range(inputs)]

    def inside(kind: str) -> Json:
        given = [{"name": n, "type": "STRING", "link": i + 1, "widget": {"name": n}} for i, n in enumerate(names)]
        return {"id": 1, "type": kind, "inputs": given, "widgets_values": [f"level {kind}"] * inputs}

    text = {"type": "PrimitiveStringMultiline", "widgets_values": ["deepest"], "outputs": [{"type": "STRING"}]}
    leaves = [
        {
            "id": i + 1,
            "inputs": [{"name": "value", "type": "STRING", "link": i + 1, "widget": {"name": "value"}}],
            **text,
        }
        for i in range(inputs)
    ]
    spread = [[i + 1, SUBGRAPH_INPUT, i, i + 1, 0, "STRING"] for i in range(inputs)]
    made = [subgraph("s0", leaves, spread, inputs=sockets)]
    for level in range(1, levels):
        made.append(subgraph(f"s{level}", [inside(f"s{level - 1}")], links, inputs=sockets))
    outer = [{"name": n, "type": "STRING", "link": None, "widget": {"name": n}} for n in names]
    hosts = [
        {"id": i, "type": f"s{levels - 1}", "inputs": outer, "widgets_values": ["outer"] * inputs} for i in range(uses)
    ]
    return workflow(hosts, subgraphs=made)


def test_promoted_widgets_are_looked_up_once_for_each_level(definitions: Definitions, steps: list[int]) -> None:
    graph = to_api(promoting(levels=12, inputs=20, uses=2), definitions)

    assert {node["inputs"]["value"] for node in graph.values()} == {"outer"}
    assert sum(steps) < 5000  # 2 uses × 12 levels × 20 inputs, each a few times


# Links


def chain(length: int, kind: str, ends: int = 1, **more: Any) -> Json:
    """An image that goes through so many nodes that pass it on, to `ends` savers."""
    passing = [
        {
            "id": i,
            "type": kind,
            "inputs": [{"name": "image", "type": "IMAGE", "link": i}],
            "outputs": [{"type": "IMAGE"}],
            **more,
        }
        for i in range(1, length + 1)
    ]
    links: list[Any] = [[i, i - 1, 0, i, 0, "IMAGE"] for i in range(1, length + 1)]
    savers = []
    for i in range(length + 1, length + ends + 1):
        links.append([i, length, 0, i, 0, "IMAGE"])
        savers.append({"id": i, "type": "PreviewImage", "inputs": [{"name": "images", "type": "IMAGE", "link": i}]})
    return workflow([{"id": 0, **EMPTY}, *reversed(passing), *savers], links)


@pytest.mark.parametrize(("kind", "more"), [("Reroute", {}), ("ImageInvert", {"mode": BYPASSED})])
def test_a_long_chain_is_followed_once(kind: str, more: Json, definitions: Definitions, steps: list[int]) -> None:
    graph = to_api(chain(9_000, kind, ends=9_000, **more), definitions)

    assert all(graph[str(i)]["inputs"]["images"] == ["0", 0] for i in range(9_001, 18_001))
    assert sum(steps) < 20 * 18_000


def test_a_long_chain_of_nodes_is_read(definitions: Definitions, steps: list[int]) -> None:
    assert len(to_api(chain(19_000, "ImageInvert"), definitions)) == 19_002
    assert sum(steps) < 5 * 19_002


def test_a_long_chain_is_followed_once_for_all_kinds(definitions: Definitions, steps: list[int]) -> None:
    many_kinds = chain(5_000, "Reroute", ends=5_000)
    for number, each in enumerate(many_kinds["nodes"][-5_000:]):
        each["inputs"][0]["type"] = f"IMAGE,K{number}"

    graph = to_api(many_kinds, definitions)

    assert all(graph[str(i)]["inputs"]["images"] == ["0", 0] for i in range(5_001, 10_001))
    assert sum(steps) < 20 * 10_000


def test_a_bypassed_node_that_has_to_be_looked_through_for_each_kind_is_given_up(definitions: Definitions) -> None:
    hostile = chain(1, "ImageInvert", ends=5_000, mode=BYPASSED)
    hostile["nodes"][1]["inputs"] += [{"name": f"i{i}", "type": "LATENT", "link": None} for i in range(1_000)]
    for number, each in enumerate(hostile["nodes"][-5_000:]):
        each["inputs"][0]["type"] = f"IMAGE,K{number}"

    with pytest.raises(WorkflowError, match=r"more than .* inputs and links to follow"):
        to_api(hostile, definitions)


def test_a_long_circle_is_named(definitions: Definitions) -> None:
    hostile = chain(9_000, "Reroute")
    hostile["links"][0] = [1, 9_000, 0, 1, 0, "IMAGE"]

    with pytest.raises(WorkflowError, match="form a loop"):
        to_api(hostile, definitions)


def test_too_many_links_are_refused(definitions: Definitions) -> None:
    links = [[i, 0, 0, 1, 0, "IMAGE"] for i in range(100_001)]

    with pytest.raises(WorkflowError, match="100,001 links; the limit is 100,000"):
        to_api(workflow([{"id": 0, **EMPTY}], links), definitions)


def test_many_primitives_feed_many_widgets(definitions: Definitions, steps: list[int]) -> None:
    primitives = [
        {"id": i, "type": "PrimitiveNode", "outputs": [{"links": [i]}], "widgets_values": [i]} for i in range(1, 9_001)
    ]
    fed = {"inputs": [{"name": "width", "type": "INT", "link": None, "widget": {"name": "width"}}], **EMPTY}
    links = [[i, i, 0, 10_000 + i, 0, "INT"] for i in range(1, 9_001)]

    graph = to_api(workflow([*primitives, *({"id": 10_000 + i, **fed} for i in range(1, 9_001))], links), definitions)

    assert [node["inputs"]["width"] for node in graph.values()] == list(range(1, 9_001))


# Damage


WRONG: list[Any] = [
    None, True, -1, 0.5, 1e999, -1e999, float("nan"), 10**4000, "", "x", "\ud800", "9" * 5000, [], {}, [[]], [None],
    {"x": 1}, [1, 2, 3, 4, 5, 6], -10, 2**63, [float("nan")],
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], to: Any) -> Any:
    if not path:
        return to
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], to)
    return copy


@pytest.mark.parametrize("seed", range(4))
def test_any_value_anywhere_ends_in_a_graph_or_in_words(seed: int, definitions: Definitions) -> None:
    rng = random.Random(seed)
    sound = [promoting(3, 2, 1), chain(3, "Reroute", 2), chain(2, "ImageInvert", mode=BYPASSED)]
    sound.append(json.loads((TEMPLATES / "video_ltx2_3_t2v.json").read_text()))
    spots = [places(each) for each in sound]
    for _ in range(400):
        which = rng.randrange(len(sound))
        hostile = changed(sound[which], rng.choice(spots[which]), rng.choice(WRONG))
        said = outcome(hostile, definitions)
        assert said.encode()


def outcome(hostile: Any, definitions: Definitions) -> str:
    """What comes of a file's content, as JSON, or the error's words."""
    try:
        graph = to_api(hostile, definitions) if convert.is_editor_format(hostile) else hostile
        check_graph(graph)
        fields = form_of(graph, definitions)
        validate(graph, definitions)
        check_safety(graph, definitions, trusted=True)
        to_api(to_editor(graph, definitions), definitions)
    except StudioError as error:
        return f"{error.message} {error.hint} {error.where}"
    return json.dumps([graph, [field.as_dict() for field in fields]], ensure_ascii=False, allow_nan=False)


@pytest.mark.parametrize("last", [1e999, float("nan"), "many", -5, 10**4000, [], None, "9" * 5000], ids=range(8))
def test_a_last_id_that_is_nonsense_does_not_matter(last: Any, definitions: Definitions) -> None:
    twice = subgraph("s", [{"id": 1, **EMPTY}])
    drawn = {**workflow([{"id": 1, "type": "s"}, {"id": 2, **EMPTY}], subgraphs=[twice]), "last_node_id": last}

    assert len(to_api(drawn, definitions)) == 2


# API format


def graph_chain(length: int) -> Json:
    graph = {"0": node("EmptyImage", width=512, height=512, batch_size=1, color=0)}
    graph |= {str(i): node("ImageInvert", image=[str(i - 1), 0]) for i in range(1, length - 1)}
    return graph | {"end": node("SaveImage", images=[str(length - 2), 0], filename_prefix="x")}


def graph_wide(length: int) -> Json:
    graph = {str(i): node("KSamplerSelect", f"Sampler {i}", sampler_name="euler") for i in range(length - 2)}
    graph["image"] = node("EmptyImage", width=512, height=512, batch_size=1, color=0)
    return graph | {"end": node("SaveImage", images=["image", 0], filename_prefix="x")}


def graph_sampling(length: int) -> Json:
    return {str(i): node("KSampler", latent_image=[str(i - 1), 0] if i else 0) for i in range(length)}


class Counted(dict[str, Any]):
    """A graph that counts how often it is looked into."""

    looks = 0

    def __getitem__(self, key: str) -> Any:
        Counted.looks += 1
        return super().__getitem__(key)

    def __iter__(self) -> Any:
        for key in super().__iter__():
            Counted.looks += 1
            yield key

    def items(self) -> Any:
        for each in super().items():
            Counted.looks += 1
            yield each

    def values(self) -> Any:
        for each in super().values():
            Counted.looks += 1
            yield each


@pytest.mark.parametrize("make", [graph_chain, graph_wide])
@pytest.mark.parametrize(
    "use",
    [
        lambda graph, definitions: check_graph(graph),
        form_of,
        validate,
        to_editor,
        lambda graph, definitions: list(phases_of(graph)),
    ],
    ids=["check", "form", "validate", "draw", "stages"],
)
def test_the_work_grows_with_the_nodes_and_no_faster(
    make: Callable[[int], Json], use: Callable[..., object], definitions: Definitions
) -> None:
    looks = []
    for length in (500, 5_000):
        graph = Counted(make(length))
        Counted.looks = 0
        use(graph, definitions)
        looks.append(Counted.looks)

    assert looks[1] < 12.5 * looks[0]


def test_samplers_in_a_long_row_are_stages() -> None:
    phases = list(phases_of(graph_sampling(5_000)))

    assert [phases[0].label, phases[-1].label] == ["Sample 1", "Sample 5000"]


def test_form_and_names_of_20000_fields(definitions: Definitions) -> None:
    graph = graph_wide(20_000)
    fields = form_of(graph, definitions)
    assert len({field.title for field in fields}) == len(fields) == 19_998

    filled = fill(graph, fields, {f"Sampler {i}": "heun" for i in range(19_998)})

    assert filled["7"]["inputs"]["sampler_name"] == "heun"
    with pytest.raises(RequestError) as caught:
        FieldIndex(fields).find("S" * 100_000)
    assert len(caught.value.hint) < 5_000


def taking(inputs: Json) -> Json:
    return {"class_type": "Note", "inputs": inputs}


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        ({str(i): node("Note") for i in range(20_001)}, "20,001 nodes; the limit is 20,000"),
        ({"1": taking({f"i{i}": ["1", 0] for i in range(100_001)})}, "100,001 links"),
        ({"1": node("Note", value=deep(33))}, "more than 32 levels of lists and objects"),
        ({"1": node("Note", value=deep(900))}, "more than 32 levels of lists and objects"),
        ({"1": node("Note", value="x" * 100_001)}, "Input 'value' of node 'Note' has 100,001 characters"),
        ({"1": node("Note", value=[{"x": "x" * 100_001}])}, "100,001 characters"),
        ({"1": node("Note", "x" * 100_001)}, "100,001 characters"),
        ({"x" * 1_001: node("Note")}, "1,001 characters"),
        ({"1": node("x" * 1_001)}, "1,001 characters"),
        ({"1": taking({"x" * 1_001: 1})}, "1,001 characters"),
        ({"1": node("Note", value=["x" * 90_000] * 400)}, "more than 33.6 MB"),
        ({"1": node("Note", value=[[1] * 100_000] * 30)}, "more than 33.6 MB"),
        ({"1": node("Note", value=[{"x": [float("nan")]}])}, "nan, which is not a finite number"),
        ({"1": node("Note", value=1e999)}, "inf, which is not a finite number"),
        ({"1": node("Note", value="\ud800")}, "lone surrogate"),
        ({"1": node("Note", value=[{"\udfff": 1}])}, "lone surrogate"),
        ({"1": node("Note", "a\ud800")}, "lone surrogate"),
        ({"\ud800": node("Note")}, "lone surrogate"),
        ({"1": node("\ud800")}, "lone surrogate"),
        ({"1": taking({"\ud800": 1})}, "lone surrogate"),
    ],
)
def test_what_no_graph_can_hold_is_refused(graph: Json, said: str) -> None:
    with pytest.raises(WorkflowError, match=said) as caught:
        check_graph(graph)

    assert f"{caught.value.message} {caught.value.hint} {caught.value.where}".encode()


def test_what_is_within_the_limits_is_taken() -> None:
    check_graph({"1": node("Note", "𝔛", value=[deep(31), "x" * 100_000, "ä𝔛"])})


def test_a_node_id_with_dots_is_found_by_its_key(definitions: Definitions) -> None:
    graph = {"1.2": node("RandomNoise", noise_seed=7), "1": node("RandomNoise", noise_seed=8)}

    filled = fill(graph, form_of(graph, definitions), {"1.2.noise_seed": 5})

    assert [filled[key]["inputs"]["noise_seed"] for key in graph] == [5, 8]


@pytest.mark.parametrize("prefix", ["\ud800", "x\udfff"])
def test_a_prefix_with_half_a_character_is_refused(prefix: str, definitions: Definitions) -> None:
    graph = {"1": node("SaveImage", filename_prefix=prefix)}

    with pytest.raises(WorkflowError, match="lone surrogate"):
        check_safety(graph, definitions, trusted=True)


# Files


@pytest.fixture(scope="module", params=["here", "child"])
def children(request: pytest.FixtureRequest) -> Iterator[None]:
    """As on the command line, and as in a server, whose child processes read one file after another."""
    pool = sandbox._Pool() if request.param == "child" else None
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sandbox, "_pool", pool)
        yield
    if pool is not None:
        pool.close()


HOSTILE: dict[str, bytes] = {
    "wide and deep.json": json.dumps(nested(10, 6)).encode(),
    "in itself.json": json.dumps(
        workflow([{"id": 1, "type": "s"}], subgraphs=[subgraph("s", [{"id": 1, "type": "s"}])])
    ).encode(),
    "comments.json": json.dumps(
        workflow([{"id": 1, "type": "CLIPTextEncode", "widgets_values": ["/*a" * 1_000_000]}])
    ).encode(),
    "braces.json": json.dumps(
        workflow([{"id": 1, "type": "CLIPTextEncode", "widgets_values": ["{" * 90_000]}])
    ).encode(),
    "lists.json": b"[" * 1_000_000,
    "objects.json": b'{"nodes":' * 100_000,
    "number.json": b'{"nodes": [], "last_node_id": ' + b"9" * 5_000 + b"}",
    "surrogate.json": b'{"1": {"class_type": "Note", "inputs": {"\\ud800": 1}}}',
    "infinite.json": b'{"1": {"class_type": "LoadImage", "inputs": {"image": 1e999}}}',
    "unknown.json": b'{"1": {"class_type": "\\ud800", "inputs": {}}}',
    "binary.json": bytes(range(256)),
    "empty.json": b"",
    "nodes.json": json.dumps({str(i): {"class_type": "Note", "inputs": {}} for i in range(20_001)}).encode(),
    "large.json": b" " * (limits.WORKFLOW_FILE.most + 1),
}


@pytest.mark.usefixtures("children")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_words(name: str, tmp_path: Path, snapshot: Path) -> None:
    (tmp_path / name).write_bytes(HOSTILE[name])

    with pytest.raises(RequestError) as caught:
        sandbox.read(read_with_form, tmp_path / name, snapshot)

    assert f"{caught.value.message} {caught.value.hint} {caught.value.where}".encode()
    assert str(tmp_path) not in caught.value.message


def test_an_exception_that_nobody_foresaw_names_the_file(
    tmp_path: Path, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").write_text(json.dumps(graph_wide(1)))
    monkeypatch.setattr(sandbox, "_pool", None)
    monkeypatch.setattr("ltx_studio.workflow_files.read.check_graph", lambda _: 1 / 0)

    with pytest.raises(RequestError, match=r"^a\.json cannot be read: ZeroDivisionError"):
        sandbox.read(read_with_form, tmp_path / "a.json", snapshot)


def test_what_is_no_ordinary_file_is_not_read(definitions: Definitions) -> None:
    for path in (Path("/dev/zero"), Path("/"), Path("a\0b")):
        with pytest.raises(WorkflowError):
            read_workflow(path, definitions)


@pytest.mark.usefixtures("children")
def test_graph_and_form_come_out_of_the_process_whole(tmp_path: Path, snapshot: Path, definitions: Definitions) -> None:
    (tmp_path / "a.json").write_text(json.dumps(graph_wide(100)))

    read = sandbox.read(read_with_form, tmp_path / "a.json", snapshot)
    graph, fields = read.graph, read.fields

    assert graph == graph_wide(100)
    assert fields == form_of(graph, definitions)
