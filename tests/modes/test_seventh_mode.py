"""A mode of another package: its module, a template and one line that registers it are all that it takes."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from gradio_client import Client

from ltx_studio.engine import Engine
from ltx_studio.events import Finished
from ltx_studio.families.ltx_2_3.template import load_template
from ltx_studio.modes import MODES, register
from ltx_studio.queue import JobSpec
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from tests import support
from tests.support import MODEL_SETS, ROOT, carried_out, environment, home_apart, outcome_of

MODULE = '''
"""Title cards: a short clip of a prompt."""

from pathlib import Path

from ltx_studio.modes.base import Mode
from ltx_studio.modes.examples import Example
from ltx_studio.modes.fields import Params, Sounding
from ltx_studio.modes.phases import two_stage_phases


class TitleCard(Sounding, Params):
    """A prompt is enough."""


TITLE = Mode(
    id="title",
    label="Title card",
    params=TitleCard,
    phases=two_stage_phases("title"),
    placeholder="A red circle on a gray background",
    examples=(Example("A circle", {"prompt": "a red circle on a gray background", "seconds": 0.7}),),
    templates={"ltx-2.3": Path(__file__).with_name("title.json")},
)
'''

PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from ltx_studio.modes import register
from title_cards import TITLE
register(TITLE)
from ltx_studio.cli.commands import main
main(sys.argv[1:])
"""

WITH_A_QUICK_ENGINE = """
from ltx_studio.runners import local
from tests.runners.quick import QuickEngine
local.Engine = QuickEngine
"""

SMALL = ("--width", "128", "--height", "128", "--seconds", "0.7", "--preset", "draft")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package that brings a mode."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "title_cards").mkdir()
    (folder / "title_cards" / "__init__.py").write_text(MODULE)
    graph = json.dumps(load_template("t2v").to_api()).replace("Save t2v", "Save title")
    (folder / "title_cards" / "title.json").write_text(graph)
    return folder


@pytest.fixture(scope="module")
def installed(set_up: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return home_apart(set_up, tmp_path_factory.mktemp("titles"))


def command(package: Path, *arguments: str, before: str = "") -> list[str]:
    return [sys.executable, "-c", before + PROGRAM, str(package), *arguments]


def test_the_command_line_makes_a_clip_of_it(package: Path, installed: Settings) -> None:
    generate = ("generate", "title", "--prompt", "a red circle", *SMALL, "--json")
    done = subprocess.run(
        command(package, *generate, before=WITH_A_QUICK_ENGINE),
        cwd=ROOT,
        env=environment(installed),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert Path(made["path"]).name.startswith("title-")
    assert Path(made["path"]).is_file()


@pytest.fixture(scope="module")
def address(package: Path, installed: Settings) -> Iterator[str]:
    serve = command(package, "serve", before=WITH_A_QUICK_ENGINE)
    server = subprocess.Popen(serve, cwd=ROOT, env=environment(installed), stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().split("The page is at ")[1].split()[0].rstrip(".")
    finally:
        server.terminate()
        server.wait(60)


def test_comfyui_makes_a_clip_of_it(
    package: Path, engine: Engine, settings: Settings, few_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(package)
    monkeypatch.setitem(MODES, "title", import_module("title_cards").TITLE)
    spec = JobSpec.from_request("title", support.SMALL, MODEL_SETS["pocket"], "draft")

    assert isinstance(outcome_of(carried_out(LocalRunner(settings, engine), spec)), Finished)


def test_the_api_makes_a_clip_of_it_and_the_page_shows_its_words(address: str) -> None:
    client = Client(address, verbose=False)
    job = client.predict(prompt="a red circle", width=128, height=128, seconds=0.7, preset="draft", api_name="/title")
    while client.predict(job["id"], api_name="/job")["state"] in ("queued", "running"):
        time.sleep(0.2)

    assert client.predict(job["id"], api_name="/job")["state"] == "done"
    page = json.dumps(client.config)
    assert "A red circle on a gray background" in page
    assert "Title card" in page


def test_two_modes_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="'t2v' already"):
        register(MODES["t2v"])
