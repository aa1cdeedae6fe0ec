"""Every input of ComfyUI's nodes that names a file or a folder stays in the studio's folders, whatever is connected."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ltx_studio.engine import Engine
from ltx_studio.engine.boot import boot
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.constants import MOST_MADE, Constants
from ltx_studio.graph.definitions import Definitions, Input
from ltx_studio.graph.formulas import FormulaError, check_format, check_formula
from ltx_studio.graph.model_inputs import loader_table
from ltx_studio.graph.path_inputs import leaves, names_a_file, path_table
from ltx_studio.graph.safety import check_safety
from ltx_studio.graph.validate import validate
from ltx_studio.settings import Settings
from tests.graph.test_form import node
from tools.path_inputs import ask

Graph = dict[str, dict[str, Any]]

HOSTILE = [
    *("/etc/passwd", "../x", "a/../../x", "..", "~/x", "~root/x", "\\x", "..\\x", "a\\..\\..\\x", "\\\\host\\share\\x"),
    *(
        "C:\\x",
        "c:x",
        "C:/x",
        "file:///etc/passwd",
        "http://host/x",
        "https://host/x",
        "concat:a|b",
        "data:text/plain,x",
    ),
    *("x.png [output]", "x.png [input] ", "x.png[temp]", "a\0b", "a\nb", "a\x7fb", "\ud800", "a/.. /x", "a/.. ./x"),
    *("\uff0fetc", "\uff0e\uff0e/x", "..\uff0fx", "\uff5ex", "\uff23:\\x", "a/\u2025/x", "\uff3bx [output\uff3d"),
]
HARMLESS = ["pictures", "a/b", "my picture.png", "wait...", "50%", "été", "%year%-%month%/clip", ".hidden", "a..b"]


def with_dotted(class_type: str, inputs: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a node whose inputs have names that Python does not allow."""
    return {"class_type": class_type, "inputs": {**inputs, **more}}


def sources(text: str) -> dict[str, tuple[Any, Graph]]:
    """Return every way that a text can reach an input: the input's value, and the nodes behind it."""
    primitive = node("PrimitiveString", value=text)
    switch = node("ComfySwitchNode", switch=["9", 0], on_false="a", on_true=["2", 0])
    half = len(text) // 2
    return {
        "literal": (text, {}),
        "primitive": (["2", 0], {"2": primitive}),
        "multiline": (["2", 0], {"2": node("PrimitiveStringMultiline", value=text)}),
        "wrapped primitive": (["2", 0], {"2": node("PrimitiveString", value={"__value__": text})}),
        "switch": (["3", 0], {"2": primitive, "3": switch, "9": node("PrimitiveBoolean", value=False)}),
        "literal in a switch": (["3", 0], {"3": node("ComfySwitchNode", switch=True, on_false=text, on_true="a")}),
        "custom choice": (["2", 0], {"2": node("CustomCombo", choice=text, index=0)}),
        "list": (["3", 0], {"2": primitive, "3": with_dotted("CreateList", {"inputs.input0": ["2", 0]})}),
        "concatenation": (
            ["3", 0],
            {"3": node("StringConcatenate", string_a=text[:half], string_b=text[half:], delimiter="")},
        ),
        "replacement": (["3", 0], {"2": primitive, "3": node("StringReplace", string="@", find="@", replace=["2", 0])}),
        "trimmed": (["3", 0], {"3": node("StringTrim", string=f"  {text}", mode="Left")}),
        "part": (["3", 0], {"3": node("StringSubstring", string=f"@{text}", start=1, end=999)}),
        "pattern": (
            ["3", 0],
            {"2": primitive, "3": with_dotted("StringFormat", {"values.a": ["2", 0]}, f_string="{a}")},
        ),
        "two in a row": (
            ["4", 0],
            {
                "2": primitive,
                "3": node("StringConcatenate", string_a=["2", 0], string_b="", delimiter=""),
                "4": node("ComfySwitchNode", switch=True, on_false=["3", 0], on_true=["3", 0]),
            },
        ),
    }


def unknown(text: str) -> dict[str, tuple[Any, Graph]]:
    """Return ways whose result cannot be told beforehand, or that ComfyUI alone takes for what they are."""
    primitive = {"2": node("PrimitiveString", value=text)}
    return {
        "extracted": (["3", 0], {"3": node("JsonExtractString", json_string=f'{{"a": {text!r}}}', key="a")}),
        "hidden link": ({"__value__": ["2", 0]}, primitive),
        "link by a fraction": (["2", 0.0], primitive),
        "list of texts": ([text], {}),
        "wrapped list": ({"__value__": [text]}, {}),
        "object": ({"image": text, "mask": text, "normal": text, "recording": ""}, {}),
    }


def file_inputs() -> list[tuple[str, str]]:
    tables: list[Mapping[str, Mapping[str, Any]]] = [loader_table(), path_table()]
    return [(kind, name) for table in tables for kind, inputs in table.items() for name in inputs]


def declared_of(kind: str, definitions: Definitions) -> Iterator[Input]:
    frontier = list(definitions.inputs(kind))
    while frontier:
        item = frontier.pop()
        yield item
        if item.is_dynamic:
            frontier += [inner for key in item.choices for inner in item.chosen(key)]


def refusal(graph: Graph, definitions: Definitions, *, trusted: bool = True) -> str:
    """Return what is said of a graph, or nothing when it may run."""
    try:
        check_safety(graph, definitions, trusted=trusted)
    except WorkflowError as error:
        return error.message if error.hint else ""
    return ""


def test_the_table_is_what_comfyui_says(engine: Engine, settings: Settings) -> None:
    """When ComfyUI has changed: `make golden`."""
    comfy = boot(settings)
    folders = [getattr(comfy.folder_paths, f"get_{kind}_directory")() for kind in ("input", "output", "temp")]

    assert ask(comfy) == path_table()

    assert folders == [getattr(comfy.folder_paths, f"get_{kind}_directory")() for kind in ("input", "output", "temp")]


def test_the_rule_for_unknown_nodes_finds_nothing_that_the_tables_lack(definitions: Definitions) -> None:
    """Two ways to the same answer: by names and choices, and by asking ComfyUI and reading its code."""
    missed = [
        (kind, item.name)
        for kind in definitions._classes
        for item in declared_of(kind, definitions)
        if names_a_file(kind, item.name, item, examined=False)
        and not names_a_file(kind, item.name, item, examined=True)
    ]

    assert missed == [
        ("AddTextPrefix", "prefix"),  # of a text
        ("CustomCombo", "choice"),  # its choices are those of the graph
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_hostile_name_reaches_any_file_input(text: str, definitions: Definitions) -> None:
    assert leaves(text)
    for kind, name in file_inputs():
        for way, (value, behind) in (sources(text) | unknown(text)).items():
            if (kind, name, way) == ("Load3D", "image", "object") or way != "object":
                for trusted in (False, True):
                    graph = {"1": with_dotted(kind, {name: value}), **behind}
                    said = refusal(graph, definitions, trusted=trusted)
                    assert said, (kind, name, way, trusted)
                    assert not trusted or f"{kind}: {name} " in said, (kind, name, way, said)


@pytest.mark.parametrize("text", HARMLESS)
def test_a_harmless_name_is_refused_only_where_the_file_must_be_known_beforehand(
    text: str, definitions: Definitions
) -> None:
    assert not leaves(text)
    for kind, name in file_inputs():
        options = {item.name: item for item in definitions.inputs(kind)}[name].options
        beforehand = name in loader_table().get(kind, {}) or any("upload" in each for each in options)
        for way, (value, behind) in sources(text).items():
            graph = {"1": with_dotted(kind, {name: value}), **behind}
            said = refusal(graph, definitions, trusted=True)
            if beforehand and behind:
                assert "comes from another node" in said, (kind, name, way)
            else:
                assert said == "", (kind, name, way)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("path", "/etc/x"), ("file_path", "../x"), ("image_folder", "~"), ("url", "http://host/x"), ("dir2", "..")),
        *(("source", "/etc/x"), ("files.file3", "/etc/x"), ("anything", [["/etc/x"]]), ("anything", {"a": "../x"})),
    ],
)
def test_a_node_that_nobody_has_looked_at_is_confined_by_rule(name: str, value: object) -> None:
    section = {} if "." in name else {name: ["STRING", {}]}
    definitions = Definitions(
        {
            "Newest": {"input": {"required": section}, "output": []},
            "PrimitiveString": {"input": {"required": {"value": ["STRING", {}]}}, "output": ["STRING"]},
        }
    )

    assert "is outside" in refusal({"1": with_dotted("Newest", {name: value})}, definitions, trusted=True)
    if isinstance(value, str):
        linked = {"1": with_dotted("Newest", {name: ["2", 0]}), "2": node("PrimitiveString", value=value)}
        assert "is outside" in refusal(linked, definitions, trusted=True)


def test_a_choice_of_files_of_an_unknown_node_is_not_left_to_another_node() -> None:
    listed = {"thing": ["COMBO", {"options": ["a.png"]}], "empty": ["COMBO", {"options": []}]}
    definitions = Definitions(
        {
            "Newest": {"input": {"required": listed}, "output": []},
            "Other": {"input": {}, "output": ["COMBO"]},
        }
    )
    for name in listed:
        graph = {"1": with_dotted("Newest", {name: ["2", 0]}), "2": node("Other")}
        assert "comes from another node" in refusal(graph, definitions, trusted=True)


def test_what_is_connected_to_a_choice_is_one_of_its_choices(definitions: Definitions) -> None:
    def graph(value: object, kind: str = "SplatToFile3D", name: str = "format") -> Graph:
        switch = node("ComfySwitchNode", switch=True, on_false="ply", on_true=value)
        return {"1": with_dotted(kind, {name: ["2", 0]}), "2": switch}

    assert refusal(graph("spz"), definitions, trusted=False) == ""
    assert "not one of its choices" in refusal(graph("/../../x"), definitions, trusted=False)
    for value in ("png", {"format": "/../../x"}):
        said = refusal(graph(value, "SaveImageAdvanced"), definitions, trusted=False)
        assert "determines the node's inputs" in said


def test_a_switch_hands_on_the_type_of_what_is_connected_to_it(definitions: Definitions) -> None:
    def graph(source: dict[str, Any], slot: int = 0) -> Graph:
        return {
            "1": source,
            "2": node("ComfySwitchNode", switch=True, on_false=["1", slot], on_true=["1", slot]),
            "3": with_dotted("CreateList", {"inputs.input0": ["2", 0]}),
            "4": node("EmptyImage", width=64, height=["3", 0], batch_size=1, color=0),
            "5": node("PreviewImage", images=["4", 0]),
        }

    validate(graph(node("PrimitiveInt", value=64)), definitions)
    with pytest.raises(WorkflowError, match="height needs INT, not STRING"):
        validate(graph(node("PrimitiveString", value="64")), definitions)
    circle = graph(node("PrimitiveInt", value=64))
    circle["2"] = node("ComfySwitchNode", switch=True, on_false=["3", 0], on_true=["3", 0])
    with pytest.raises(WorkflowError, match="depends on its own output"):
        validate(circle, definitions)


def test_switches_in_a_circle_and_in_endless_rows_are_told_at_once(definitions: Definitions) -> None:
    switches = {
        str(n): node("ComfySwitchNode", switch=True, on_false=[str(n + 1), 0], on_true=[str(n + 1), 0])
        for n in range(2000)
    }
    doubling = {
        str(n): node("StringConcatenate", string_a=[str(n + 1), 0], string_b=[str(n + 1), 0], delimiter="")
        for n in range(40)
    }
    graphs: list[Graph] = [
        switches | {"2000": node("ComfySwitchNode", switch=True, on_false=["0", 0], on_true=["0", 0])},
        doubling | {"40": node("PrimitiveString", value="ab")},
    ]
    for graph in graphs:
        save = node("SaveImage", images=["x", 0], filename_prefix=["0", 0])
        said = refusal(graph | {"s": save, "x": node("EmptyImage")}, definitions, trusted=False)
        assert "comes from another node" in said


@pytest.mark.parametrize(
    "text",
    [
        *("a.save_to('/tmp/x')", "a.model", "[a][0].b", "(lambda: 1)()", "'x' * 9", "f'{a}'", "open(1)", "a()"),
        *(
            "pow(pow(pow(9, 4000), 4000), 4000)",
            "9**9**9",
            "pow(9, 4000)",
            "a**b",
            "2**a * 2**b",
            "round(5, -999999999)",
        ),
        *(
            "round(5, a)",
            "pow(base=9, exp=999)",
            "a" * 2000,
            "(" * 500,
            "1 +",
            "{}",
            "[x for x in values]",
            "max(*values)",
        ),
    ],
)
def test_a_formula_is_arithmetic_on_numbers(text: str, definitions: Definitions) -> None:
    with pytest.raises(FormulaError):
        check_formula(text)
    graph = {"1": node("ComfyMathExpression", expression=["2", 0]), "2": node("PrimitiveString", value=text)}
    for trusted in (False, True):
        assert "is not allowed" in refusal(graph, definitions, trusted=trusted)


@pytest.mark.parametrize(
    "text",
    [
        *("a", " a * b + 1", "max(5, round(a * 24)) % 17", "a & -8", "10**a", "a**2", "pow(a, 0.5)", "a + b"),
        *("1 if a > 2 else b", "round(a / b, 2)", "sum(values)", "values[0] << 3", "not a", "floor (a)"),
    ],
)
def test_arithmetic_is_taken(text: str) -> None:
    check_formula(text)


@pytest.mark.parametrize("text", ["{a.b}", "{a[os]}", "{a:>99999999999}", "{a:{b}}", "{a.__class__}", "{", "{0}"])
def test_a_pattern_does_not_look_into_objects(text: str, definitions: Definitions) -> None:
    with pytest.raises(FormulaError):
        check_format(text)
    graph = {"1": node("StringFormat", f_string=text)}
    assert "f_string has" in refusal(graph, definitions, trusted=True)


def test_a_list_of_sigmas_is_not_beyond_measure(definitions: Definitions) -> None:
    for text, is_fine in (("1, 0.5, 0", True), ("." * 100_000, False)):
        said = refusal({"1": node("ManualSigmas", sigmas=text)}, definitions, trusted=True)
        assert (said == "") is is_fine


def test_what_is_worked_out_of_a_graph_is_bounded(definitions: Definitions) -> None:
    """Each of these would take a minute or gigabytes in all; what is counted is the work, not the time."""
    long = "a+" * 400
    formulas = {str(n): node("ComfyMathExpression", expression=f"{long}{n}") for n in range(10_000)}
    texts = {f"t{n}": node("PrimitiveString", value="x" * 9_000 + str(n)) for n in range(64)}
    listed = with_dotted("CreateList", {f"inputs.input{n}": [f"t{n}", 0] for n in range(64)})
    replaced = {f"r{n}": node("StringReplace", string=["l", 0], find="x", replace="y") for n in range(2_000)}
    constants = Constants({**texts, "l": listed, **replaced})

    assert "The workflow, in its formulas, has" in refusal(formulas, definitions)
    made = [constants.reaching([name, 0]) for name in replaced]
    assert sum(len(text) for values in made for text in values or ()) <= MOST_MADE
    assert made[0] is not None
    assert made[-1] is None
