"""What ComfyUI's own editor, in a real browser, says of our workflows: the master, and those that takes carry."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser

from ltx_studio.editor_format.draw import to_editor
from ltx_studio.editor_format.master import cut
from ltx_studio.engine import Engine
from ltx_studio.engine.nodes import NODE_CLASS_MAPPINGS
from ltx_studio.graph.definitions import Definitions
from ltx_studio.modes import MODES
from ltx_studio.queue import LOCAL, Done, JobSpec
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.studio.set_up import put_nodes
from ltx_studio.takes import recipes
from tests.editor_format.test_convert import meaning
from tests.fixtures import Request, shorten_sampling
from tests.support import MASTER, MODEL_SETS
from tools.editor import Editor, open_editor

FOLDERS = {
    "ckpt_name": "checkpoints",
    "lora_name": "loras",
    "model_name": "latent_upscale_models",
    "text_encoder": "text_encoders",
}
Carried = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def master() -> dict[str, Any]:
    workflow: dict[str, Any] = json.loads(MASTER.read_text(encoding="utf-8"))
    return workflow


@pytest.fixture(scope="module")
def carried(engine: Engine, settings: Settings, definitions: Definitions, small: Request) -> Carried:
    """What the mp4 of each mode carries, by mode: its tags, parsed."""
    studio, found = Studio(settings, LocalRunner(settings, engine)), {}
    studio.work()
    presets = {"style": "fast", "i2v": "balanced"}
    with pytest.MonkeyPatch.context() as patch:
        shorten_sampling(patch)
        for mode in MODES:
            (job,) = studio.jobs.submit(
                LOCAL, [JobSpec.from_request(mode, small(mode), MODEL_SETS["pocket"], presets.get(mode, "draft"))]
            )
            *_, ended = studio.jobs.follow(job, LOCAL)
            assert isinstance(ended.state, Done), ended.state
            tags = recipes.tags(studio.takes.path(studio.takes.get(ended.state.take, LOCAL)))
            found[mode] = {name: json.loads(tags[name]) for name in ("prompt", "workflow", recipes.TAG)}
    assert studio.close_worker(60)
    return found


@pytest.fixture(scope="module")
def editor(
    browser: Browser, master: dict[str, Any], carried: Carried, definitions: Definitions, settings: Settings
) -> Iterator[Editor]:
    """One where the models and inputs that our workflows name look as if they were there, and our nodes are."""
    models: dict[str, list[str]] = {}
    graphs = [*cut(master, definitions).values(), *(each["prompt"] for each in carried.values())]
    for node in (node for graph in graphs for node in graph.values()):
        for name, folder in FOLDERS.items():
            if name in node["inputs"]:
                models.setdefault(folder, []).append(node["inputs"][name])
    inputs = [path for path in settings.inputs_dir.iterdir() if path.is_file()]
    with open_editor(browser, models, inputs, prepare=put_nodes, settings=settings) as editor:
        yield editor


def without_previews(graph: dict[str, Any]) -> dict[str, Any]:
    """Where a Load Video finds its file, the front end shows it in a widget of its own, and queues that as an input."""
    for node in graph.values():
        if node["class_type"] == "LoadVideo":
            node["inputs"].pop("video-preview", None)
    return graph


def test_the_master_opens_without_a_complaint(editor: Editor, master: dict[str, Any]) -> None:
    assert editor.complaints(master) == []
    assert editor.page.evaluate("window.app.graph._nodes.length") == len(master["nodes"])


@pytest.mark.parametrize("mode", MODES)
def test_a_take_opens_without_a_complaint_and_means_its_own_graph(mode: str, editor: Editor, carried: Carried) -> None:
    tags = carried[mode]

    assert editor.complaints(tags["workflow"]) == []
    assert editor.page.evaluate("window.app.graph._nodes.length") == len(tags["workflow"]["nodes"])
    assert meaning(without_previews(editor.to_api(tags["workflow"]))) == meaning(tags["prompt"])
    notes = [node for node in tags["workflow"]["nodes"] if node["type"] == "MarkdownNote"]
    assert len(tags["prompt"]) == len(tags["workflow"]["nodes"]) - len(notes)
    assert len(notes) == 1, "the pocket preview's loader is none of the core's, which the file says"
    assert not {node["class_type"] for node in tags["prompt"].values()} & set(NODE_CLASS_MAPPINGS)


def test_the_graph_as_it_really_ran_opens_where_our_nodes_are(
    editor: Editor, carried: Carried, definitions: Definitions
) -> None:
    exact = carried["i2v"][recipes.TAG]["graph"]
    assert {"LTXStudioGuider", "PocketTextEncoderLoader"} <= {node["class_type"] for node in exact.values()}

    assert meaning(editor.to_api(to_editor(exact, definitions))) == meaning(exact)


BREAKS = {
    "a node that it does not have": ('"EmptyLTXVLatentVideo"', '"NoSuchNode"'),
    "a model file that is missing": ('"ltx-2.3', '"missing-'),
}
"""What is replaced in the master's text, so that the editor complains."""


@pytest.mark.parametrize("what", BREAKS)
def test_a_complaint_would_be_seen(what: str, editor: Editor, master: dict[str, Any]) -> None:
    text, (found, missing) = json.dumps(master), BREAKS[what]
    assert found in text

    assert editor.complaints(json.loads(text.replace(found, missing))) != []
