"""ComfyUI's own editor in a real browser: its server and front end, run temporarily on loopback."""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Request

from ltx_studio.engine import comfyui
from ltx_studio.settings import Settings

START_SECONDS = 180
IDLE = """async () => {
    for (let pause = 0; pause < 6; pause++) {
        await new Promise(goOn => requestIdleCallback(goOn, {timeout: 1000}));
        await new Promise(goOn => setTimeout(goOn, 100));
    }
}"""
"""JavaScript that returns when the page has had nothing to do for 0.6 seconds. A busy machine makes them longer."""
LOAD = """async (workflow) => {
    const quiet = {showMissingNodesDialog: false, showMissingModelsDialog: false};
    await window.app.loadGraphData(workflow, true, true, null, quiet);
    return (await window.app.graphToPrompt()).output;
}"""
CHANGE = """async ([workflow, seed]) => {
    const quiet = {showMissingNodesDialog: false, showMissingModelsDialog: false};
    await window.app.loadGraphData(workflow, true, true, null, quiet);
    let state = seed;
    const draw = count => { state = (state * 48271) % 2147483647; return state % count; };
    const graphs = [window.app.graph, ...window.app.graph.subgraphs.values()];
    for (const graph of graphs) {
        for (const node of graph._nodes) {
            const what = draw(6);
            if (what === 0) node.pos = [node.pos[0] + 40, node.pos[1] - 20];
            if (what === 1) node.title = `${node.title} (mine)`;
            if (what === 2 && draw(3) === 0) node.mode = draw(2) ? 2 : 4;
            if (what < 3) continue;
            for (const widget of [...(node.widgets ?? [])]) {
                if (widget.type === 'toggle') widget.value = !widget.value;
                else if (widget.type === 'number') widget.value += 1;
                else if (['text', 'string', 'customtext'].includes(widget.type)) widget.value += ' changed';
            }
        }
    }
    const saved = JSON.parse(JSON.stringify(window.app.graph.serialize()));
    return [saved, (await window.app.graphToPrompt()).output];
}"""
"""JavaScript that moves, renames, mutes and bypasses nodes and changes their values, then saves."""

READY = """(nodes) => window.app?.graph && window.app.extensionManager
    && nodes.every(node => node in window.LiteGraph.registered_node_types)"""
"""JavaScript: whether the editor knows all nodes, which arrive after its app object."""

OPEN = """async (workflow) => { await window.app.loadGraphData(workflow); }"""
COMPLAINTS = """() => {
    const boxes = [...document.querySelectorAll('[role=dialog], [role=alert], [role=alertdialog], .p-toast-message')];
    for (let box of [...document.querySelectorAll('button')].filter(each => each.innerText === 'View details')) {
        while (box.innerText.trim() === 'View details') box = box.parentElement;
        boxes.push(box);  // its list of errors, by whose button it is known
    }
    return boxes.map(box => box.innerText.trim()).filter(text => text);
}"""

MARKED = """() => window.app.graph._nodes.filter(node => node.has_errors).map(node => `${node.title} is marked red`)"""


@dataclass(frozen=True, slots=True)
class Editor:
    """ComfyUI's front end in a browser page."""

    page: Page
    nodes: frozenset[str]
    """Every node class that the server has."""
    requests: set[Request]
    """The page's requests that the server has not answered yet."""

    def to_api(self, workflow: Mapping[str, Any]) -> dict[str, Any]:
        """Return the API-format graph that the editor would queue."""
        graph: dict[str, Any] = self.page.evaluate(LOAD, workflow)
        return graph

    def change(self, workflow: Mapping[str, Any], seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Change a workflow at random, as a user would; return what the editor then saves, and what it would queue."""
        saved, graph = self.page.evaluate(CHANGE, [workflow, seed])
        return saved, graph

    def complaints(self, workflow: Mapping[str, Any]) -> list[str]:
        """Open a workflow as a user would; return what the editor complains of until it has nothing left to do."""
        self.page.keyboard.press("Escape")  # it starts with its templates
        self.page.evaluate(OPEN, workflow)
        self.settle()
        said: list[str] = self.page.evaluate(COMPLAINTS) + self.page.evaluate(MARKED)
        return said

    def settle(self) -> None:
        """Wait until the page is idle and the server has answered all its requests."""
        self.page.evaluate(IDLE)
        while self.requests:
            self.page.evaluate(IDLE)


@contextmanager
def open_editor(
    browser: Browser,
    models: Mapping[str, list[str]] | None = None,
    inputs: Iterable[Path] = (),
    prepare: Callable[[Path], object] = lambda custom_nodes: None,  # noqa: ARG005
    *,
    settings: Settings,
) -> Iterator[Editor]:
    """Start the editor and yield it; `models` are file names, by folder, that should look installed.

    `inputs` are files to put into ComfyUI's input folder; `prepare` receives its folder of custom nodes.
    """
    with tempfile.TemporaryDirectory() as scratch, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        server = _start_server(Path(scratch), port, models or {}, inputs, prepare, comfyui.find(settings).path)
        try:
            nodes = _wait_for_nodes(f"http://127.0.0.1:{port}/object_info", Path(scratch) / "server.log")
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            requests = _watch_requests(page)
            page.goto(f"http://127.0.0.1:{port}/", timeout=120_000)
            page.wait_for_function(READY, arg=[*nodes], timeout=START_SECONDS * 1000)
            editor = Editor(page, nodes, requests)
            editor.settle()
            yield editor
            page.close()
        finally:
            server.terminate()
            server.wait()


def _watch_requests(page: Page) -> set[Request]:
    """Return a set that always holds the page's requests that are not answered yet."""
    requests: set[Request] = set()

    def begin(request: Request) -> None:
        requests.add(request)

    def end(request: Request) -> None:
        requests.discard(request)

    page.on("request", begin)
    page.on("requestfinished", end)
    page.on("requestfailed", end)
    return requests


def _start_server(
    scratch: Path,
    port: int,
    models: Mapping[str, list[str]],
    inputs: Iterable[Path],
    prepare: Callable[[Path], object],
    folder: Path,
) -> "subprocess.Popen[bytes]":
    for name in ("custom_nodes", "models", "input", "output", "temp", "user"):
        (scratch / name).mkdir()
    shutil.copytree(folder / "input", scratch / "input", dirs_exist_ok=True)
    prepare(scratch / "custom_nodes")
    for path in inputs:
        shutil.copyfile(path, scratch / "input" / path.name)
    for kind, names in models.items():
        (scratch / "models" / kind).mkdir(parents=True, exist_ok=True)
        for name in names:
            (scratch / "models" / kind / name).touch()
    flags = ["--cpu", "--port", str(port), "--disable-api-nodes", "--base-directory", str(scratch)]
    with (scratch / "server.log").open("wb") as log:
        return subprocess.Popen([sys.executable, "main.py", *flags], cwd=folder, stdout=log, stderr=log)


def _wait_for_nodes(url: str, log: Path) -> frozenset[str]:
    for _ in range(START_SECONDS):
        try:
            with urllib.request.urlopen(url) as answer:
                return frozenset(json.load(answer))
        except OSError:
            time.sleep(1)
    raise SystemExit(f"ComfyUI's server does not answer:\n{log.read_text()[-2000:]}")
