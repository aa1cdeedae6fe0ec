"""What several tests need: requests, running them, and looking at what came out."""

import hashlib
import json
import lzma
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import av
import comfyui_workflow_templates_json

from ltx_studio.engine import CancelToken, Engine
from ltx_studio.events import Cancelled, Event, Failed, Finished, Outcome
from ltx_studio.graph import Workflow
from ltx_studio.media import by_name
from ltx_studio.models.registry import load_registry
from ltx_studio.queue import JobSpec
from ltx_studio.queue.queue import Queue, new_id
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from tests.forked import run_forked

ROOT = Path(__file__).resolve().parent.parent
GOLDEN_EDITOR = ROOT / "tests" / "golden" / "editor.json.xz"
GOLDEN_GENERATED = ROOT / "tests" / "golden" / "generated.json.xz"
GOLDEN_CHANGED = ROOT / "tests" / "golden" / "changed.json.xz"
TEMPLATES = Path(comfyui_workflow_templates_json.__file__).parent / "templates"
"""ComfyUI's own workflow templates, in editor format."""

GOLDEN_GRAPHS = ROOT / "tests" / "golden" / "graphs"
DATA = ROOT / "tests" / "data"
"""Small files that users brought."""

OWN_WORKFLOWS = ROOT / "tests" / "workflows"
"""Workflows in editor format for what the templates do not show."""

MASTER = ROOT / "ltx_studio" / "families" / "ltx_2_3" / "templates" / "master.json"

REGISTRY = load_registry()
"""The studio's own files and sets."""

MODEL_SETS = REGISTRY.sets

SMALL = {"prompt": "a red ball bounces to the right", "seconds": 0.7, "width": 128, "height": 128, "seed": 7}
"""17 frames of 128×128: a second or less on the pocket model."""


def small_spec(mode: str = "t2v", preset: str = "fast", **changes: Any) -> JobSpec:
    return JobSpec.from_request(mode, SMALL | changes, MODEL_SETS["pocket"], preset)


def queue_of(studio: Studio) -> Queue:
    """The queue below a studio, for a test that plays the worker."""
    return studio._queue


def small_workflow(**changes: Any) -> Workflow:
    return small_spec(**changes).build(by_name)


def brief_workflow(**changes: Any) -> Workflow:
    """Return the small workflow with two steps in each stage, for tests of all but the sampling."""
    workflow = small_workflow(**changes)
    for node in workflow.graph.values():
        if node["class_type"] == "ManualSigmas":
            sigmas = node["inputs"]["sigmas"].split(",")
            node["inputs"]["sigmas"] = ",".join([sigmas[0], sigmas[len(sigmas) // 2], sigmas[-1]])
    return workflow


_KILLED = """
import os, pathlib, signal, sys
from ltx_studio.fileio import whole
with whole(pathlib.Path(sys.argv[1])) as partial:
    partial.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def leave_partial(folder: Path) -> Path:
    """Return an unfinished file that a killed process has left in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    known = set(folder.iterdir())
    subprocess.run([sys.executable, "-c", _KILLED, str(folder / "clip.mp4")], check=False)
    (left,) = set(folder.iterdir()) - known
    return left


def collect(events: Iterator[Event]) -> list[Event]:
    """Every event; checks the contract that there is exactly one outcome and that it comes last."""
    seen = list(events)
    assert [isinstance(event, Finished | Failed | Cancelled) for event in seen] == [False] * (len(seen) - 1) + [True]
    return seen


def carried_out(runner: LocalRunner, spec: JobSpec) -> Iterator[Event]:
    """What the runner tells of a request."""
    return runner.run(spec, CancelToken(), job_id=new_id())


def outcome_of(events: Iterator[Event]) -> Outcome:
    last = collect(events)[-1]
    assert isinstance(last, Finished | Failed | Cancelled)
    return last


def finish(engine: Engine, workflow: Workflow) -> Path:
    """Run to the end and return the file, which stays in staging."""
    outcome = outcome_of(engine.run(workflow))
    assert isinstance(outcome, Finished), outcome
    (output,) = outcome.outputs
    return output.path


def cancel_when(engine: Engine, workflow: Workflow, moment: Callable[[Event], bool]) -> list[Event]:
    """Run, cancel at the first event for which `moment` holds, and give every event."""
    cancel = CancelToken()

    def stop(events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            if moment(event):
                cancel.cancel()
            yield event

    seen = collect(stop(engine.run(workflow, cancel)))
    assert cancel.cancelled, "the moment to cancel never came"
    return seen


def frames_digest(path: Path) -> str:
    """A hash over the decoded pixels of every frame."""
    digest = hashlib.sha256()
    with av.open(path) as container:
        for frame in container.decode(video=0):
            digest.update(frame.to_ndarray(format="rgb24").tobytes())
    return digest.hexdigest()


def staged_in(settings: Settings) -> set[Path]:
    """Return the folders of runs in staging."""
    return set(settings.staging_dir.glob("*"))


def outputs_of(settings: Settings) -> set[Path]:
    return set(settings.outputs_dir.rglob("*.*"))


def home_apart(settings: Settings, home: Path) -> Settings:
    """Make a home of its own at `home` that uses the models and the ComfyUI of `settings`."""
    home.mkdir(exist_ok=True)
    for name in ("models", "comfyui"):
        (home / name).symlink_to(settings.home / name)
    return Settings(home=home, comfy_dir=settings.comfy_dir, hub_cache=settings.hub_cache)


def environment(settings: Settings, **changes: str) -> dict[str, str]:
    """The variables that make a new process use `settings`."""
    ours = {"LTX_STUDIO_HOME": str(settings.home), "LTX_STUDIO_COMFY_DIR": str(settings.comfy_dir or "")}
    if settings.hub_cache is not None:
        ours["HF_HUB_CACHE"] = str(settings.hub_cache)
    return {**os.environ, **ours, **changes}


def run_studio(settings: Settings, *arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a process of its own; in a new Python if a variable of Python's own is changed."""
    env = environment(settings, **changes)
    if not any(name.startswith("PYTHON") for name in changes):
        return run_forked(list(arguments), env)
    command = [sys.executable, "-m", "ltx_studio", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=200, check=False)


def editor_workflows() -> dict[str, Path]:
    """File name → path of every workflow in editor format that the tests have."""
    folders = TEMPLATES, OWN_WORKFLOWS
    return {path.name: path for folder in folders for path in sorted(folder.glob("*.json"))} | {MASTER.name: MASTER}


def graph_as_text(graph: Mapping[str, Mapping[str, Any]]) -> str:
    """One line for each node, by title: ``Stage 1: SamplerCustomAdvanced(noise=Seed[0], …)``."""
    titles = {node_id: node["_meta"]["title"] for node_id, node in graph.items()}

    def shown(value: Any) -> str:
        is_link = isinstance(value, list) and value[0] in titles
        return f"{titles[value[0]]}[{value[1]}]" if is_link else json.dumps(value, ensure_ascii=False)

    lines = []
    for node_id, node in graph.items():
        inputs = ", ".join(f"{name}={shown(value)}" for name, value in sorted(node["inputs"].items()))
        lines.append(f"{titles[node_id]}: {node['class_type']}({inputs})")
    return "\n".join(sorted(lines)) + "\n"


def load_golden_editor(path: Path = GOLDEN_EDITOR) -> dict[str, Any]:
    """File name → the API-format graph that ComfyUI's own editor makes of it; made by `make golden`."""
    answers: dict[str, Any] = json.loads(lzma.decompress(path.read_bytes()))
    return answers
