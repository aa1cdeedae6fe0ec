"""`serve` in a process of its own: ComfyUI starts behind the page, and renders."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from ltx_studio.events import Finished
from ltx_studio.queue import LOCAL, Done, Queued, Running
from ltx_studio.settings import Settings
from ltx_studio.studio import Models, Studio
from tests.shop import SIZE, Shop
from tests.support import ROOT, environment, home_apart, run_studio

SMALL = ("--prompt", "a red ball", "--width", "128", "--height", "128", "--seconds", "0.7", "--seed", "7")
SECONDS = 120


@pytest.fixture
def installed(set_up: Settings, tmp_path: Path) -> Settings:
    """A home of its own, set up."""
    return home_apart(set_up, tmp_path / "home")


def test_a_job_that_waits_is_rendered_by_the_server(installed: Settings) -> None:
    job = run_studio(installed, "generate", "t2v", *SMALL, "--detach").stdout.split()[-1]
    server = subprocess.Popen(
        [sys.executable, "-m", "ltx_studio", "serve"], cwd=ROOT, env=environment(installed),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + SECONDS
        studio = Studio(installed)  # a look by command would cost as much as the render
        while isinstance(studio.jobs.get(job, LOCAL).state, Queued | Running) and time.monotonic() < end:
            time.sleep(0.2)
        state = studio.jobs.get(job, LOCAL).state
    finally:
        server.terminate()
        out, err = server.communicate(timeout=60)

    assert isinstance(state, Done), (state, err)
    assert out.startswith("The page is at http://")
    assert err == ""


def test_a_download_that_was_left_is_continued_by_the_server(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    models = Models.open(shop.settings)
    download = models.get([file], "Left")

    server = subprocess.Popen(
        [sys.executable, "-m", "ltx_studio", "serve"], cwd=ROOT, env=shop.environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        *_, end = models.follow(download)
    finally:
        server.terminate()
        server.wait(60)

    assert isinstance(end, Finished)
    assert shop.cached(file).stat().st_size == SIZE
