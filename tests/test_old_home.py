"""A home of version 0.1.0 opens, goes on, and loses nothing.

`tests/data/home-0.1.0.tar.xz` was made by that version: takes of text, of a picture and of a custom workflow, one of
them a favourite; a take that was deleted; jobs that wait, ran, failed and were cancelled; a guest who paused; and an
interrupted download.
"""

import shutil
import sqlite3
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ltx_studio.downloads import ensure_models
from ltx_studio.engine import Engine
from ltx_studio.events import Finished
from ltx_studio.media.probe import probe_clip
from ltx_studio.models import Store
from ltx_studio.queue import LOCAL, Cancelled, Done, Failed, JobSpec, Queued, Running, WorkflowSpec
from ltx_studio.queue.specs import read_spec
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.takes import recipes
from ltx_studio.takes.replay import compare, spec_of
from tests.hub import LoopbackHub, safetensors
from tests.support import DATA

JOBS: Mapping[str, str] = {
    "0e7dccd48842": "was running",
    "fc589c128b8e": "waits first",
    "22a0a90571b5": "waits second",
    "27f067bfa3cb": "was cancelled",
    "64326cc23d51": "has failed",
    "64d0b6414588": "my own workflow\nmine",
    "b39ddaba8fe8": "to be deleted",
    "44b8cb73678c": "a blue square rises",
    "cb19c778d57f": "a red ball bounces",
}
"""Id and prompt, in the order in which a list has them."""

TEXT, PICTURE, WORKFLOW, DELETED = "cb19c778d57f", "44b8cb73678c", "64d0b6414588", "b39ddaba8fe8"
FETCHED = 20_000
"""Bytes that the interrupted download left."""


@pytest.fixture
def old(tmp_path: Path) -> Settings:
    with tarfile.open(DATA / "home-0.1.0.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    records = tmp_path / "home" / "models" / "fetched.json"
    records.write_text(records.read_text().replace("@HUB@", str(tmp_path / "hub")))
    return Settings(home=tmp_path / "home", hub_cache=tmp_path / "hub")


def test_every_job_and_take_is_there_as_it_was(old: Settings) -> None:
    studio = Studio(old)
    jobs = {job.id: job for job in studio.jobs.of(LOCAL)}

    assert {job.id: job.prompt for job in jobs.values()} == JOBS
    assert list(jobs) == list(JOBS)
    kinds = {state: [jobs[job].prompt for job in jobs if type(jobs[job].state) is state]
             for state in (Running, Queued, Cancelled, Failed)}  # fmt: skip
    assert kinds[Running] == ["was running"]
    assert kinds[Queued] == ["waits first", "waits second"]
    assert kinds[Cancelled] == ["was cancelled"]
    assert kinds[Failed] == ["has failed"]
    running = jobs["0e7dccd48842"].state
    assert isinstance(running, Running)
    assert (running.progress.phase, running.progress.phases) == ("Stage 1", 7)
    assert studio.jobs.is_paused("guest")
    assert [job.prompt for job in studio.jobs.of("guest")] == ["a guest's"]

    takes = {take.id: take for take in studio.takes.page(LOCAL, limit=10).takes}
    assert list(takes) == [WORKFLOW, PICTURE, TEXT]
    assert (takes[TEXT].favourite, takes[TEXT].tags) == (True, ("keeper",))
    assert all(studio.takes.path(take).is_file() for take in takes.values())
    assert studio.takes.page(LOCAL, search="keeper").takes == (takes[TEXT],)


def test_the_database_is_backed_up_before_it_is_changed(old: Settings) -> None:
    with sqlite3.connect(old.database_file) as before:
        rows = before.execute("SELECT id, state, spec FROM jobs ORDER BY number").fetchall()

    Studio(old)

    (backup,) = old.home.glob("studio.db.before-*")
    with sqlite3.connect(backup) as kept:
        assert kept.execute("SELECT id, state, spec FROM jobs ORDER BY number").fetchall() == rows
        assert kept.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_deleted_takes_job_counts_as_unused_from_the_upgrade_on(old: Settings) -> None:
    Studio(old)

    with sqlite3.connect(old.database_file) as connection:
        unused = connection.execute("SELECT id FROM jobs WHERE unused_since IS NOT NULL").fetchall()
    assert unused == [(DELETED,)]


def test_its_clips_give_their_requests_back(old: Settings) -> None:
    studio = Studio(old)
    found = {take.id: recipes.read(studio.takes.path(take)) for take in studio.takes.page(LOCAL, limit=10).takes}
    text, picture = spec_of(found[TEXT], old), spec_of(found[PICTURE], old)
    workflow = read_spec(found[WORKFLOW].request(), old)

    assert isinstance(text, JobSpec)
    assert (text.prompt, text.seed, text.preset, text.model_set.id) == ("a red ball bounces", 11, "draft", "pocket")
    assert isinstance(picture, JobSpec)
    assert picture.files()["image"].is_file()
    assert isinstance(workflow, WorkflowSpec)
    assert workflow.seed == 14


def test_an_interrupted_download_goes_on_where_it_was(old: Settings) -> None:
    with LoopbackHub().running() as hub:
        hub.put("org/small", "part.safetensors", safetensors(40_000, seed=5))
        store = Store(replace(old, hub_endpoint=hub.url))
        *_, end = ensure_models([store.registry.get_file("part.safetensors")], store)

        assert isinstance(end, Finished), end
        assert hub.sent("part.safetensors") == 40_000 - FETCHED


def test_an_interrupted_download_can_be_requested_from_the_studio(old: Settings) -> None:
    with LoopbackHub().running() as hub:
        hub.put("org/small", "part.safetensors", safetensors(40_000, seed=5))
        models = Studio(replace(old, hub_endpoint=hub.url)).models
        assert models.downloads() == []
        download = models.get([models.store().registry.get_file("part.safetensors")], "The rest")
        models.work()

        *_, end = models.follow(download)

        assert models.close(60)
        assert isinstance(end, Finished), end
        assert hub.sent("part.safetensors") == 40_000 - FETCHED


def test_it_goes_on_and_its_clips_verify(old: Settings, engine: Engine, settings: Settings) -> None:
    for folder in ("checkpoints", "text_encoders", "loras", "latent_upscale_models", "vae_approx"):
        shutil.copytree(settings.models_dir / folder, old.models_dir / folder, dirs_exist_ok=True)
    old = replace(old, comfy_dir=settings.comfy_dir)
    studio = Studio(old, LocalRunner(old, Engine(old)))
    take = studio.takes.get(TEXT, LOCAL)
    recipe = recipes.read(studio.takes.path(take))
    (again,) = studio.jobs.submit(LOCAL, [replace(spec_of(recipe, old), fresh=True)])

    studio.work()
    try:
        ended = {}
        for job in ("0e7dccd48842", "fc589c128b8e", "22a0a90571b5", again):
            *_, last = studio.jobs.follow(job, LOCAL)
            ended[job] = last.state
    finally:
        assert studio.close_worker(60)

    assert all(isinstance(state, Done) for state in ended.values()), ended
    takes = [each.id for each in studio.takes.page(LOCAL, limit=20).takes]
    assert takes == ["22a0a90571b5", "fc589c128b8e", "0e7dccd48842", WORKFLOW, PICTURE, TEXT]
    made = studio.takes.path(studio.takes.get(again, LOCAL))
    assert probe_clip(made).seconds == probe_clip(studio.takes.path(take)).seconds
    assert compare(studio.takes.path(take), made).identical
