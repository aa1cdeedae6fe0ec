"""What a take was made of and is not here any longer is told by its title."""

import os
from pathlib import Path

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.media import InputStore
from ltx_studio.pocket import files
from ltx_studio.queue import JobSpec, WorkflowSpec
from ltx_studio.settings import Settings
from ltx_studio.takes import replay
from ltx_studio.takes.recipes import Recipe
from tests.fixtures import Request
from tests.support import MODEL_SETS


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    path = tmp_path / "mine.safetensors"
    path.write_bytes((files.SHIPPED / files.STYLE_LORA).read_bytes())
    return path


def test_files_that_are_gone_are_told_by_their_titles(small: Request, lora: Path, tmp_path: Path) -> None:
    values = small("keyframe", loras=[{"file": files.SHIPPED / files.STYLE_LORA}, {"file": lora}])
    keep = InputStore(tmp_path / "kept")
    asked = JobSpec.from_request("keyframe", values, MODEL_SETS["pocket"])
    spec = asked.with_files(lambda path, kind: keep(path) if path != lora else path)
    assert replay.missing_files(spec) == []

    spec.files()["last_image"].unlink()
    lora.unlink()

    assert replay.missing_files(spec) == ["Last frame", "LoRA 2"]


def test_a_linked_file_that_is_another_one_by_now_is_told(small: Request, lora: Path, tmp_path: Path) -> None:
    asked = JobSpec.from_request("t2v", small("t2v", loras=[{"file": lora}]), MODEL_SETS["pocket"])
    spec = asked.with_files(lambda path, kind: InputStore(tmp_path / "kept")(path, linked=True))
    assert replay.missing_files(spec) == []

    lora.write_bytes(b"another one")
    os.utime(lora, (later := lora.stat().st_mtime + 60, later))

    assert replay.missing_files(spec) == ["LoRA 1"]


def test_a_workflow_s_files_are_told_by_what_reads_them(tmp_path: Path) -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": ""}, "_meta": {"title": "Photo"}},
        "2": {"class_type": "LoadAudio", "inputs": {"audio": ""}},
    }
    given = dict.fromkeys(("1.image", "2.audio", "3.video"), tmp_path / "gone")

    assert replay.missing_files(WorkflowSpec("mine", graph, given)) == ["Photo", "LoadAudio", "3.video"]


@pytest.mark.parametrize("name", ["a" * 30_000, "a\0b", "\udcff"])
def test_a_recipe_may_name_a_file_that_cannot_be(name: str, small: Request, home: Settings) -> None:
    asked = JobSpec.from_request("i2v", small("i2v"), MODEL_SETS["pocket"]).with_files(lambda path, kind: Path(name))
    recipe = Recipe(**asked.as_dict(), graph={}, models={}, inputs={"image": "0" * 100_000}, versions={})

    with pytest.raises(RequestError, match="is missing") as refused:
        replay.spec_of(recipe, home)
    assert len(refused.value.hint) < 200
