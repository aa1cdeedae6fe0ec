"""A workflow of the user's own becomes a take, or is refused before anything runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ltx_studio.advice import Advice, Do
from ltx_studio.editor_format.draw import to_editor
from ltx_studio.errors import RequestError, StudioError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.media import by_name
from ltx_studio.models import Store
from ltx_studio.queue import WorkflowSpec
from ltx_studio.settings import Settings
from ltx_studio.takes import recipes, replay
from ltx_studio.takes.records import TakeRecord
from tests.media import drawn, reference
from tests.studios import Make
from tests.support import small_spec

PathOf = Callable[[TakeRecord], Path]


def workflow() -> dict[str, Any]:
    return {node_id: dict(node) for node_id, node in small_spec().build(by_name).graph.items()}


def write(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("form", ["api", "editor", "video"])
def test_a_workflow_in_any_form_becomes_a_take(
    form: str, make: Make, path_of: PathOf, definitions: Definitions, settings: Settings, tmp_path: Path
) -> None:
    file = write(tmp_path, "mine.json", workflow() if form == "api" else to_editor(workflow(), definitions))
    if form == "video":
        made = make(WorkflowSpec.from_file(file, {}, definitions, trusted=False))
        file = path_of(made)
    spec = WorkflowSpec.from_file(file, {"Prompt": "a blue ball", "Seed": 11}, definitions, trusted=False)

    take = make(spec)

    assert (take.mode, take.measured["frames"], take.recipe["params"]["seed"]) == ("workflow", 17, 11)
    assert "a blue ball" in take.prompt
    recipe = recipes.read(path_of(take))
    assert replay.spec_of(recipe, settings) == spec
    graph = json.loads(recipes.tags(path_of(take))["prompt"])
    assert {node["class_type"] for node in graph.values()} == {node["class_type"] for node in spec.graph.values()}


def test_a_picture_is_a_take_too(make: Make, path_of: PathOf, definitions: Definitions, samples: dict[str, Path],
                                 tmp_path: Path) -> None:  # fmt: skip
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "theirs.png"}, "_meta": {"title": "Photo"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    }
    file = write(tmp_path, "invert.json", graph)
    with pytest.raises(RequestError, match=r"theirs\.png") as refused:
        WorkflowSpec.from_file(file, {}, definitions, trusted=False)
    assert refused.value.advice == Advice.to(Do.GIVE_WORKFLOW_FILE, key="1.image")

    take = make(WorkflowSpec.from_file(file, {"Photo": samples["image"]}, definitions, trusted=False))

    assert path_of(take).suffix == ".png"
    assert str(samples["image"]) not in json.dumps(take.recipe)


ELSEWHERE = [
    "C:\\Users\\me\\x.png",
    "/home/me/foo.png",
    "D:/pictures/a b.png",
    "\\\\nas\\share\\a.png",
    "Foo.png [input]",
    "clipspace/clipspace-mask-1.png [input]",
    "../x.png",
]
"""Names in files from other machines."""

READERS = {"image": ("LoadImage", "image"), "sound": ("LoadAudio", "audio"), "clip": ("LoadVideo", "file")}
SAVERS = {"image": ("SaveImage", "images"), "sound": ("SaveAudio", "audio"), "clip": ("SaveVideo", "video")}


def reading(sample: str, value: Any) -> dict[str, Any]:
    (reader, name), (saver, taken) = READERS[sample], SAVERS[sample]
    more = {"format": "mp4", "codec": "auto"} if sample == "clip" else {}
    return {
        "1": {"class_type": reader, "inputs": {name: value}, "_meta": {"title": "Theirs"}},
        "2": {"class_type": saver, "inputs": {taken: ["1", 0], "filename_prefix": "x", **more}},
    }


@pytest.mark.parametrize("named", ELSEWHERE)
@pytest.mark.parametrize("sample", READERS)
def test_a_given_file_replaces_a_name_from_another_machine(
    sample: str, named: str, definitions: Definitions, samples: dict[str, Path]
) -> None:
    graph = reading(sample, named)

    spec = WorkflowSpec.from_request("w", graph, {"Theirs": samples[sample]}, definitions, trusted=False)

    (name,) = spec.graph["1"]["inputs"]
    assert spec.graph["1"]["inputs"][name] == ""
    assert spec.build(by_name).graph["1"]["inputs"][name] == samples[sample].name
    spec.check(definitions, trusted=False)


def test_a_name_from_another_machine_asks_for_the_file(definitions: Definitions) -> None:
    with pytest.raises(RequestError, match="the workflow needs a ") as refused:
        WorkflowSpec.from_request("w", reading("image", ELSEWHERE[0]), {}, definitions, trusted=False)

    assert refused.value.advice == Advice.to(Do.GIVE_WORKFLOW_FILE, key="1.image")


def test_a_given_file_excuses_no_other_path(definitions: Definitions, samples: dict[str, Path]) -> None:
    graph = reading("image", ELSEWHERE[0])
    graph["2"]["inputs"]["filename_prefix"] = "../../outside"

    with pytest.raises(RequestError, match="outside the studio's folders"):
        WorkflowSpec.from_request("w", graph, {"Theirs": samples["image"]}, definitions, trusted=False)


HOSTILE = {
    "reads /etc/passwd": {"1": {"class_type": "LoadImage", "inputs": {"image": "/etc/passwd"}}},
    "writes outside": {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "../../outside"}},
    },
    "loads a pickle": {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "evil.ckpt"}},
        "2": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    },
    "hides a pickle": {
        "1": {"class_type": "UpscaleModelLoader", "inputs": {"model_name": {"__value__": "evil.pt"}}},
        "2": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    },
    "names an unknown class": {"1": {"class_type": "os.system", "inputs": {"command": "true"}}},
}


def read(file: Path, definitions: Definitions, settings: Settings) -> None:
    spec = WorkflowSpec.from_file(file, {}, definitions, trusted=False)
    Store(settings).require(spec.graph, spec.fetch_advice)


@pytest.mark.parametrize("what", HOSTILE)
def test_a_workflow_that_does_harm_is_refused_before_anything_runs(
    what: str, definitions: Definitions, settings: Settings, tmp_path: Path
) -> None:
    file = write(tmp_path, "hostile.json", HOSTILE[what])

    with pytest.raises(StudioError) as refused:
        read(file, definitions, settings)

    assert refused.value.exit_code == 2
    assert refused.value.hint


def test_a_recipe_that_carries_a_hostile_workflow_is_refused(settings: Settings, definitions: Definitions) -> None:
    graph = HOSTILE["writes outside"]
    recipe = recipes.Recipe(
        mode="workflow",
        params={"name": "x", "graph": graph, "files": {}},
        graph=graph,
        models={},
        inputs={},
        versions={},
    )

    with pytest.raises(RequestError, match="is outside the studio's folders"):
        replay.spec_of(recipe, settings)


def test_a_playlist_is_no_clip_because_it_leads_to_other_files(
    definitions: Definitions, samples: dict[str, Path], tmp_path: Path
) -> None:
    playlist = tmp_path / "clip.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{samples['clip']}\n#EXT-X-ENDLIST\n")
    file = write(tmp_path, "copy.json", film())
    WorkflowSpec.from_file(file, {"Film": samples["clip"]}, definitions, trusted=False)

    with pytest.raises(RequestError, match="Film"):
        WorkflowSpec.from_file(file, {"Film": playlist}, definitions, trusted=False)


def film(file: str = "theirs.mp4") -> dict[str, Any]:
    saved = {"video": ["1", 0], "filename_prefix": "x", "format": "mp4", "codec": "auto"}
    return {
        "1": {"class_type": "LoadVideo", "inputs": {"file": file}, "_meta": {"title": "Film"}},
        "2": {"class_type": "SaveVideo", "inputs": saved},
    }


@pytest.mark.parametrize(
    ("options", "ignored"),
    [
        (("-display_hflip",), "its mirroring"),
        (("-display_rotation", "90", "-display_vflip"), "its mirroring"),
        (("-display_rotation", "90"), ""),
    ],
)
def test_what_the_nodes_ignore_of_a_clip_is_said(
    options: tuple[str, ...], ignored: str, definitions: Definitions, samples: dict[str, Path], tmp_path: Path
) -> None:
    turned = tmp_path / "turned.mp4"
    reference.ffmpeg(*options, "-i", samples["clip"], "-c", "copy", turned)

    spec = WorkflowSpec.from_request("mine", film(), {"Film": turned}, definitions, trusted=False)

    assert spec.notes() == (
        [f"Film: the workflow's node ignores {ignored}. Convert the clip first."] if ignored else []
    )


def test_what_the_nodes_ignore_of_a_picture_is_said(definitions: Definitions, tmp_path: Path) -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "theirs.png"}, "_meta": {"title": "Photo"}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    said = {}
    for space in ("sRGB", "Display P3", "Adobe RGB", "ProPhoto"):
        picture = drawn.profiled(tmp_path / f"{space}.png", space)
        said[space] = WorkflowSpec.from_request("mine", graph, {"Photo": picture}, definitions, trusted=False).notes()

    note = ["Photo: the workflow's node ignores its colour profile. Convert the picture first."]
    assert said == {"sRGB": [], "Display P3": note, "Adobe RGB": note, "ProPhoto": note}


def test_a_moving_webp_is_no_clip_for_a_workflow(definitions: Definitions, tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (64, 64), (value, 0, 0)) for value in (0, 100, 200)]
    pictures[0].save(tmp_path / "a.webp", save_all=True, append_images=pictures[1:], duration=100)

    with pytest.raises(RequestError, match="cannot read as a clip") as caught:
        WorkflowSpec.from_request("mine", film(), {"Film": tmp_path / "a.webp"}, definitions, trusted=False)

    assert caught.value.hint == "Convert it to MP4."


def test_a_recipe_keeps_no_name_of_a_users_file(
    definitions: Definitions, samples: dict[str, Path], tmp_path: Path
) -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "ann-passport.png"}, "_meta": {"title": "Photo"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }

    spec = WorkflowSpec.from_file(
        write(tmp_path, "w.json", graph), {"Photo": samples["image"]}, definitions, trusted=False
    )

    assert "passport" not in json.dumps(spec.as_dict())


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"name": "x", "graph": [], "files": {}},
        {"name": "x", "graph": {"1": {}}, "files": {}},
        {"name": "x", "graph": {"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}}}, "files": []},
        {"name": "x", "graph": {"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}}}, "files": {}},
    ],
)
def test_a_damaged_recipe_is_refused_in_words(
    params: dict[str, Any], settings: Settings, definitions: Definitions
) -> None:
    recipe = recipes.Recipe(mode="workflow", params=params, graph={}, models={}, inputs={}, versions={})

    with pytest.raises(RequestError) as refused:
        replay.spec_of(recipe, settings)

    assert refused.value.hint
