"""The page as a program: how it is embedded, starts, ends, and tells that its port is taken."""

import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import gradio as gr
import pytest

import app
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web import build_app
from tests.support import ROOT, environment, run_studio
from tests.web.serving import serving


def test_the_app_is_a_blocks() -> None:
    assert isinstance(app.build_app(), gr.Blocks)


def test_the_desk_is_told_where_uploads_lie(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    studio = Studio(settings)

    build_app(settings, studio=studio)

    assert studio.jobs.uploads == tmp_path


@pytest.mark.parametrize("command", [["app.py"], ["-m", "ltx_studio", "serve"]])
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "when it serves"])
def test_serves_until_it_is_told_to_end(settings: Settings, command: list[str], at_once: bool, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(settings, GRADIO_TEMP_DIR=str(tmp_path), PYTHONFAULTHANDLER="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    url = line.split()[4]
    for _ in range(0 if at_once else 100):
        with urllib.request.urlopen(url) as answer:
            if answer.status == 200:
                break
        time.sleep(0.1)

    process.terminate()
    try:
        stdout, stderr = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # it tells where its threads are
        stdout, stderr = process.communicate()

    assert line.startswith("The page is at http://127.0.0.1:")
    assert (process.returncode, stdout, stderr) == (0, "", "")


def test_a_port_that_is_taken_is_an_error_with_advice(page_url: str, settings: Settings) -> None:
    port = page_url.strip("/").rpartition(":")[2]

    done = run_studio(settings, "serve", "--port", port)

    assert done.returncode == 2
    assert f"port {port}" in done.stderr.splitlines()[0]
    assert "--port" in done.stderr.splitlines()[-1]


def test_a_machine_too_busy_to_answer_at_once_is_not_one_without_a_network(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradio.networking.url_ok", lambda _url: False)  # what a HEAD that takes 3 s comes to

    with serving(Studio(settings)) as blocks:
        assert blocks.is_running
