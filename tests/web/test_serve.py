"""`serve` in a process of its own: ComfyUI starts behind the page, and renders."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ltx_studio.settings import Settings
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
        shown: dict[str, str] = {"state": "queued"}
        while shown["state"] in ("queued", "running") and time.monotonic() < end:
            shown = json.loads(run_studio(installed, "jobs", "show", job, "--json").stdout)
    finally:
        server.terminate()
        out, err = server.communicate(timeout=60)

    assert shown["state"] == "done", (shown, err)
    assert out.startswith("The page is at http://")
    assert err == ""
