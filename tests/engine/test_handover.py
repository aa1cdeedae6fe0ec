"""What a node is given at run time is looked at once more, on the real ComfyUI: nothing outside is read or written.

The engine takes a graph as it is; what `graph.safety` would have refused before is let through to it here.
"""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ltx_studio.engine import Engine
from ltx_studio.engine.boot import boot
from ltx_studio.errors import WorkflowError
from ltx_studio.events import Failed, Finished
from ltx_studio.graph import Workflow
from ltx_studio.settings import Settings
from tests.graph.test_confinement import with_dotted
from tests.graph.test_form import node
from tests.support import outcome_of

Graph = dict[str, dict[str, Any]]

IMAGE = node("EmptyImage", width=64, height=64, batch_size=1, color=255)


def switched(value: Any) -> Graph:
    """Return the nodes ``t`` and ``s``: a text, and a switch that hands it on as whatever is asked for."""
    text = node("PrimitiveString", value=value)
    return {"t": text, "s": node("ComfySwitchNode", switch=True, on_false="a", on_true=["t", 0])}


def joined(first: str, second: str) -> Graph:
    return {"s": node("StringConcatenate", string_a=first, string_b=second, delimiter="/")}


def run(engine: Engine, graph: Graph) -> Failed | Finished:
    outcome = outcome_of(engine.run(Workflow("test", graph)))
    assert isinstance(outcome, Failed | Finished)
    return outcome


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A folder that is not the studio's, with a picture."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    Image.new("RGB", (64, 64), (255, 0, 0)).save(folder / "secret.png")
    return folder


@pytest.fixture
def pictures(settings: Settings, engine: Engine) -> Path:
    """A folder among the studio's inputs, with a picture."""
    folder = settings.inputs_dir / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), (0, 255, 0)).save(folder / "one.png")
    return folder


SAVE = {"save": node("SaveImage", images=["load", 0], filename_prefix="x")}
FOLDERS = ["LoadImageDataSetFromFolder", "LoadImageTextDataSetFromFolder"]


@pytest.mark.parametrize("kind", FOLDERS)
def test_no_foreign_folder_is_read(kind: str, engine: Engine, secret: Path) -> None:
    for behind in (switched(str(secret)), switched("../../" + "../" * 20 + str(secret)[1:])):
        outcome = run(engine, {**behind, "load": node(kind, folder=["s", 0]), **SAVE})

        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, WorkflowError)
        assert "folder received" in outcome.error.message
        assert "is outside the studio's folders" in outcome.error.message


def test_no_link_among_the_inputs_leads_out(engine: Engine, settings: Settings, secret: Path, pictures: Path) -> None:
    within, itself = settings.inputs_dir / "linking", settings.inputs_dir / "linked"
    within.mkdir()
    (within / "secret.png").symlink_to(secret / "secret.png")
    itself.symlink_to(secret)
    try:
        for name in ("linking", "linked"):
            for folder in (name, ["s", 0]):
                load = node("LoadImageDataSetFromFolder", folder=folder)
                outcome = run(engine, {**switched(name), "load": load, **SAVE})
                assert isinstance(outcome, Failed), (name, folder)
                assert isinstance(outcome.error, WorkflowError), outcome.error
    finally:
        itself.unlink()
        (within / "secret.png").unlink()
        within.rmdir()


@pytest.mark.parametrize("name", ["pictures"])
def test_a_folder_of_the_studio_is_read_through_a_switch(engine: Engine, pictures: Path, name: str) -> None:
    outcome = run(engine, {**switched(name), "load": node("LoadImageDataSetFromFolder", folder=["s", 0]), **SAVE})

    assert isinstance(outcome, Finished), outcome
    assert Image.open(outcome.outputs[0].path).getpixel((1, 1)) == (0, 255, 0)


@pytest.mark.parametrize("kind", ["LoadImage", "LoadImageMask"])
def test_no_foreign_picture_is_read(kind: str, engine: Engine, secret: Path) -> None:
    more = {"channel": "red"} if kind == "LoadImageMask" else {}
    load = {"load": node(kind, image=["s", 0], **more), "save": node("PreviewAny", source=["load", 0])}
    for name in (str(secret / "secret.png"), "a [output]", "../x.png"):
        assert isinstance(run(engine, {**switched(name), **load}), Failed)


def test_outputs_stay_among_the_outputs(engine: Engine, settings: Settings, secret: Path) -> None:
    before = everything(secret)
    for behind in (
        joined("..", "outside"),
        joined(str(secret), "x"),
        joined("a", "../../../x"),
        switched(str(secret / "x")),
    ):
        outcome = run(engine, {**behind, "1": IMAGE, "2": node("SaveImage", images=["1", 0], filename_prefix=["s", 0])})
        assert isinstance(outcome, Failed)
        assert "is outside the studio's folders" in outcome.error.message
    assert everything(secret) == before

    good = run(
        engine,
        {**joined("shots", "red"), "1": IMAGE, "2": node("SaveImage", images=["1", 0], filename_prefix=["s", 0])},
    )

    assert isinstance(good, Finished)
    assert good.outputs[0].path.is_relative_to(settings.staging_dir)


def test_a_list_is_looked_at_value_by_value(engine: Engine, secret: Path) -> None:
    graph = {
        "1": node("PrimitiveString", value="good"),
        "2": node("PrimitiveString", value=str(secret / "bad")),
        "s": with_dotted("CreateList", {"inputs.input0": ["1", 0], "inputs.input1": ["2", 0]}),
        "3": IMAGE,
        "4": node("SaveImage", images=["3", 0], filename_prefix=["s", 0]),
    }
    before = everything(secret)

    outcome = run(engine, graph)

    assert isinstance(outcome, Failed)
    assert "is outside" in outcome.error.message
    assert everything(secret) == before


def test_a_choice_of_an_ending_does_not_become_a_path(engine: Engine, secret: Path) -> None:
    """ComfyUI puts some choices at the end of file names, and does not look at those that come from other nodes."""
    sound = node("EmptyAudio", duration=0.1, sample_rate=8000, channels=1)
    hostile = {"format": f"/../../../../../../../..{secret}/pwned.flac"}
    switch = node("ComfySwitchNode", switch=True, on_false="a", on_true=hostile)
    graph = {
        "1": sound,
        "2": switch,
        "3": node("SaveAudioAdvanced", audio=["1", 0], filename_prefix="x", format=["2", 0]),
    }
    before = everything(secret)

    outcome = run(engine, graph)

    assert isinstance(outcome, Failed)
    assert "a choice from another node" in outcome.error.message
    assert everything(secret) == before

    sampler = run(
        engine,
        {
            **switched("no such"),
            "1": node("KSamplerSelect", sampler_name=["s", 0]),
            "2": node("PreviewAny", source=["1", 0]),
        },
    )
    assert isinstance(sampler, Failed)
    assert "not one of its choices" in sampler.error.message


def test_a_text_does_not_stand_in_for_a_number(engine: Engine) -> None:
    """Save LoRA, for one, puts a number of steps into the name of its file."""
    for text in ("64", "/../../x"):
        image = node("EmptyImage", width=["s", 0], height=64, batch_size=1, color=0)
        outcome = run(engine, {**switched(text), "1": image, "2": node("PreviewImage", images=["1", 0])})

        assert isinstance(outcome, Failed)
        assert "width received str, but needs INT" in outcome.error.message


def test_a_formula_gets_numbers_and_calls_nothing(engine: Engine, secret: Path) -> None:
    target = secret / "written.mp4"

    def graph(expression: str) -> Graph:
        return {
            "1": IMAGE,
            "2": node("CreateVideo", images=["1", 0], fps=24.0),
            "3": node("ComfySwitchNode", switch=True, on_false=["2", 0], on_true=["2", 0]),
            "4": with_dotted("ComfyMathExpression", {"values.a": ["3", 0]}, expression=expression),
            "5": node("PreviewAny", source=["4", 1]),
        }

    for expression in (f"a.save_to('{target}')", "a + 1"):
        outcome = run(engine, graph(expression))
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, WorkflowError), outcome.error
    assert not target.exists()


def test_a_hidden_link_is_looked_at_like_any_other(engine: Engine, secret: Path) -> None:
    """Its node was never looked at by ComfyUI, so neither were the choices that are written into it."""
    graph = {
        "load": node("LoadImageDataSetFromFolder", folder=str(secret)),
        "save": node("PreviewAny", source={"__value__": ["load", 0]}),
    }

    outcome = run(engine, graph)

    assert isinstance(outcome, Failed)
    assert "is outside the studio's folders" in outcome.error.message


def test_what_is_patched_is_there(settings: Settings, engine: Engine) -> None:
    comfy = boot(settings)

    assert comfy.execution.get_input_data.__module__ == "ltx_studio.engine.patches"


def doubled(times: int) -> Graph:
    graph = {"0": node("PrimitiveString", value="x" * 1000)}
    for number in range(1, times + 1):
        before = [str(number - 1), 0]
        graph[str(number)] = node("StringConcatenate", string_a=before, string_b=before, delimiter="")
    return graph | {"end": node("PreviewAny", source=[str(times), 0])}


def test_a_text_that_doubles_and_doubles_is_refused(engine: Engine) -> None:
    assert isinstance(run(engine, doubled(9)), Finished)

    outcome = run(engine, doubled(40))

    assert isinstance(outcome, Failed)
    assert "the limit is 1,000,000 characters" in outcome.error.message


def test_a_replacement_that_multiplies_a_text_is_refused(engine: Engine) -> None:
    graph = {
        "t": node("StringReplace", string="x" * 50_000, find="x", replace="y" * 50_000),
        "end": node("PreviewAny", source=["t", 0]),
    }

    outcome = run(engine, graph)

    assert isinstance(outcome, Failed)
    assert "the limit is 100,000,000 characters" in outcome.error.message


@pytest.mark.parametrize(("formula", "number"), [("min(10**a, 5)", 4_000_000), ("min(pow(10, a), 5)", 10_001)])
def test_a_power_of_a_large_number_is_refused(formula: str, number: int, engine: Engine) -> None:
    graph = {
        "n": node("PrimitiveInt", value=number),
        "f": with_dotted("ComfyMathExpression", {"values.a": ["n", 0]}, expression=formula),
        "end": node("PreviewAny", source=["f", 0]),
    }

    outcome = run(engine, graph)

    assert isinstance(outcome, Failed)
    assert "an exponent above 10,000" in outcome.error.message
