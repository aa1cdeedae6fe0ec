"""`serve` in a process of its own: ComfyUI starts behind the page, and renders."""

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from ltx_studio.events import Finished
from ltx_studio.queue import LOCAL, Done, Queued, Running
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from tests.shop import SIZE, Shop
from tests.support import ROOT, environment, home_apart, small_spec

SECONDS = 120


@pytest.fixture
def installed(set_up: Settings, shop: Shop) -> Settings:
    """The shop's home, set up."""
    return replace(shop.settings, home=home_apart(set_up, shop.settings.home).home, comfy_dir=set_up.comfy_dir)


def test_a_job_that_waits_and_a_download_that_was_left_are_continued_by_the_server(
    installed: Settings, shop: Shop
) -> None:
    studio = Studio(installed)
    (job,) = studio.jobs.submit(LOCAL, [small_spec(preset="draft")])
    file = shop.add("a.safetensors")
    download = studio.models.get([file], "Left")

    server = subprocess.Popen(
        [sys.executable, "-m", "ltx_studio", "serve"], cwd=ROOT,
        env=environment(installed) | {"HF_ENDPOINT": shop.hub.url, "HF_HUB_DISABLE_TELEMETRY": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + SECONDS
        *_, downloaded = studio.models.follow(download)
        while isinstance(studio.jobs.get(job, LOCAL).state, Queued | Running) and time.monotonic() < end:
            time.sleep(0.2)
        state = studio.jobs.get(job, LOCAL).state
    finally:
        server.terminate()
        out, err = server.communicate(timeout=60)

    assert isinstance(downloaded, Finished)
    assert shop.cached(file).stat().st_size == SIZE
    assert isinstance(state, Done), (state, err)
    assert out.startswith("The page is at http://")
    assert err == ""
