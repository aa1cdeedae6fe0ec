"""A take is written once, from staging, and a kill at any moment leaves it whole in one of the two places."""

import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from ltx_studio.engine import run_folders
from ltx_studio.events import Finished, Output
from ltx_studio.queue.jobs import Job
from ltx_studio.queue.specs import Spec
from ltx_studio.queue.states import Running
from ltx_studio.queue.workflow_spec import WorkflowSpec
from ltx_studio.settings import Settings
from ltx_studio.takes import recipes
from ltx_studio.takes.take_store import UNMEASURED, TakeStore
from tests.support import small_spec

JOB = "0123456789ab"
GRAPH = {"1": {"class_type": "EmptyImage", "inputs": {"width": 8}}}
PICTURES = ["red", "green", "blue"]


class KilledError(BaseException):
    pass


class Desk:
    """A take store, and the files that a run of one job has left in staging."""

    def __init__(self, home: Path, spec: Spec) -> None:
        self.settings, self.spec = Settings(home=home), spec
        self.store = TakeStore(self.settings)
        self.job = Job(JOB, "ada", spec.mode, spec.as_dict(), 1_700_000_000.0, Running(1_700_000_001.0))

    def run(self, *names: str) -> Finished:
        """Leave what a run leaves that saved files under these names."""
        folder = run_folders.create(self.settings.staging_dir, self.job.id)
        for name in names:
            write(folder.saving / name)
        files = folder.finish([folder.saving / name for name in names])
        return Finished(tuple(Output(file, "Save") for file in files), 1.0)

    def keep(self, made: Finished) -> Any:
        return self.store.keep(self.job, self.spec, GRAPH, made, UNMEASURED)

    def kept(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.settings.outputs_dir.glob("*/*")}

    def staged(self) -> list[Path]:
        return list(self.settings.staging_dir.iterdir())


def write(path: Path) -> None:
    """Write a clip, or a picture in the colour that its name says."""
    if path.suffix == ".png":
        Image.new("RGB", (8, 8), path.stem).save(path)
        return
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=Fraction(24))
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(5):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8))))
        file.mux(stream.encode(None))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home", small_spec())


@pytest.fixture
def custom(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home", WorkflowSpec("mine", GRAPH))


def test_a_take_is_the_only_file_that_is_left(desk: Desk) -> None:
    take = desk.keep(desk.run("clip.mp4"))

    assert list(desk.kept()) == [f"t2v-{JOB}.mp4"]
    assert desk.staged() == []
    assert recipes.read(desk.settings.outputs_dir / take.file).params["seed"] == 7


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
@pytest.mark.parametrize("is_broken", [False, True])
def test_outputs_may_be_on_another_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch, is_broken: bool) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        desk.settings.home.mkdir()
        desk.settings.outputs_dir.symlink_to(elsewhere)
        if is_broken:
            monkeypatch.setattr(recipes, "write", fail)
        take = desk.keep(desk.run("clip.mp4"))
        assert list(desk.kept()) == [f"t2v-{JOB}.mp4"]
        assert take.measured["frames"] == 5
    assert desk.staged() == []


def fail(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_clip_that_cannot_be_moved_stays_in_staging_and_is_found_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk.run("clip.mp4")
    before = made.outputs[0].path.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(recipes, "write", fail)
        patched.setattr("ltx_studio.takes.take_store.move", fail)
        with pytest.raises(OSError, match="No space"):
            desk.keep(made)
    assert made.outputs[0].path.read_bytes() == before
    assert desk.kept() == {}

    take = desk.store.recovered(desk.job, desk.spec)

    assert take is not None
    assert list(desk.kept()) == [f"t2v-{JOB}.mp4"]
    assert desk.staged() == []


MOMENTS = [("TakeStore._put_other", number, when) for number in (1, 2, 3) for when in ("before", "after")] + [
    ("TakeStore._put", 1, "before"),
    ("TakeStore._put", 1, "after"),
    ("run_folders.discard_run", 1, "before"),
    ("run_folders.discard_run", 1, "after"),
    ("write_poster", 1, "before"),
    ("measure", 1, "before"),
]


@pytest.mark.parametrize(("place", "number", "when"), MOMENTS)
def test_a_kill_at_any_moment_loses_and_doubles_nothing_of_a_run_with_several_files(
    custom: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, number: int, when: str
) -> None:
    unharmed = Desk(tmp_path / "unharmed", custom.spec)
    unharmed.keep(unharmed.run("clip.mp4", *[f"{colour}.png" for colour in PICTURES]))
    made = custom.run("clip.mp4", *[f"{colour}.png" for colour in PICTURES])
    with monkeypatch.context() as patched:
        kill_at(patched, f"ltx_studio.takes.take_store.{place}", number, when)
        with pytest.raises(KilledError):
            custom.keep(made)

    take = custom.store.recovered(custom.job, custom.spec)

    assert take is not None
    assert take.file.endswith(f"workflow-{JOB}.mp4")
    assert {name for name in custom.kept() if name.endswith(".png")} == {f"workflow-{JOB}-{n}.png" for n in (2, 3, 4)}
    assert custom.kept() == unharmed.kept()
    assert custom.staged() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_picture_is_recovered_too(custom: Desk, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    made = custom.run("red.png")
    with monkeypatch.context() as patched:
        kill_at(patched, "ltx_studio.takes.take_store.TakeStore._put", 1, when)
        with pytest.raises(KilledError):
            custom.keep(made)

    take = custom.store.recovered(custom.job, custom.spec)

    assert take is not None
    assert list(custom.kept()) == [f"workflow-{JOB}.png"]
    assert take.recipe["graph"] == GRAPH
    assert custom.staged() == []


def kill_at(patched: pytest.MonkeyPatch, place: str, number: int, when: str) -> None:
    """Let the numbered call of a function end the process, as far as anybody can tell."""
    real, calls = resolve_name(place), 0

    def killed(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            raise KilledError
        result = real(*given, **named)
        if calls == number and when == "after":
            raise KilledError
        return result

    patched.setattr(place, killed)


def test_a_clip_that_an_earlier_version_moved_to_the_outputs_is_recovered(desk: Desk) -> None:
    own = desk.settings.outputs_dir / "2023-11-14" / f"t2v-221320-{JOB}.mp4"
    own.parent.mkdir(parents=True)
    write(own)

    take = desk.store.recovered(desk.job, desk.spec)

    assert take is not None
    assert list(desk.kept()) == [f"t2v-{JOB}.mp4"]
    assert recipes.read(desk.settings.outputs_dir / take.file).params["seed"] == 7


def test_a_run_that_was_not_finished_gives_no_take_and_is_swept(desk: Desk) -> None:
    write(run_folders.create(desk.settings.staging_dir, JOB).saving / "clip.mp4")

    assert desk.store.recovered(desk.job, desk.spec) is None
    desk.store.sweep([JOB])

    assert desk.staged() == []
    assert desk.kept() == {}


def test_what_a_job_left_in_staging_before_goes_when_it_is_kept(desk: Desk) -> None:
    desk.run("clip.mp4")
    other = Desk(desk.settings.home, desk.spec)
    other.job = replace(desk.job, id="ba9876543210")
    other.run("clip.mp4")

    desk.keep(desk.run("clip.mp4"))

    assert [run_folders.run_id_of(path / "x") for path in desk.staged()] == ["ba9876543210"]
