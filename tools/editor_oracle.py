"""Ask ComfyUI's own editor what workflows mean in API format, and keep the answers for the tests.

    make golden

Starts the installed ComfyUI's server with its front end (both from PyPI, in a folder that is removed again), loads
ComfyUI's templates and the tests' own workflows into it in a real browser, and writes what the editor would queue to
tests/golden/editor.json.xz.
"""

import json
import lzma
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from ltx_studio.engine import comfyui
from ltx_studio.settings import get_settings
from tests.support import GOLDEN_EDITOR, editor_workflows
from tools import browser

FRONT_END = "comfyui-frontend-package==1.47.12"
PORT = 8299
URL = f"http://127.0.0.1:{PORT}/"
VIRTUAL = {"Note", "MarkdownNote", "Reroute", "PrimitiveNode"}
TO_API = """async (workflow) => {
    const quiet = {showMissingNodesDialog: false, showMissingModelsDialog: false};
    await window.app.loadGraphData(workflow, true, true, null, quiet);
    return (await window.app.graphToPrompt()).output;
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        server = start_server(Path(scratch))
        try:
            known = set(json.loads(wait_for(f"{URL}object_info")))
            workflows = {name: json.loads(path.read_text()) for name, path in editor_workflows().items()}
            usable = {name: data for name, data in workflows.items() if classes_of(data) and classes_of(data) <= known}
            answers = ask(usable)
        finally:
            server.terminate()
            server.wait()
    GOLDEN_EDITOR.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN_EDITOR.write_bytes(lzma.compress(json.dumps(answers, sort_keys=True).encode()))
    print(f"{len(answers)} answers in {GOLDEN_EDITOR}")


def start_server(scratch: Path) -> "subprocess.Popen[bytes]":
    packages, base = scratch / "packages", scratch / "base"
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", str(packages)]
    subprocess.run([*install, FRONT_END], check=True)
    for name in ("custom_nodes", "models", "input", "output", "temp", "user"):
        (base / name).mkdir(parents=True)
    flags = ["--cpu", "--port", str(PORT), "--disable-api-nodes", "--base-directory", str(base)]
    folder = comfyui.find(get_settings()).path
    env = {**os.environ, "PYTHONPATH": str(packages)}
    with (scratch / "server.log").open("wb") as log:
        return subprocess.Popen([sys.executable, "main.py", *flags], cwd=folder, env=env, stdout=log, stderr=log)


def wait_for(url: str, seconds: int = 180) -> str:
    for _ in range(seconds):
        try:
            with urllib.request.urlopen(url) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(1)
    raise SystemExit(f"{url} does not answer")


def classes_of(workflow: Any) -> set[str]:
    """The node classes of an editor-format workflow; none for anything else."""
    if not isinstance(workflow, dict) or "nodes" not in workflow:
        return set()
    subgraphs = workflow.get("definitions", {}).get("subgraphs", [])
    nodes = [*workflow["nodes"], *(node for subgraph in subgraphs for node in subgraph["nodes"])]
    return {node["type"] for node in nodes} - VIRTUAL - {subgraph["id"] for subgraph in subgraphs}


def ask(workflows: dict[str, Any]) -> dict[str, Any]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=browser.FLAGS)
        page = chromium.new_page(viewport={"width": 1600, "height": 1000})
        page.goto(URL, timeout=120_000)
        page.wait_for_function("window.app && window.app.graph && window.app.extensionManager", timeout=180_000)
        page.wait_for_timeout(8_000)  # node definitions arrive after the app object
        answers = {}
        for name, workflow in workflows.items():
            answers[name] = page.evaluate(TO_API, workflow)
            print(name, len(answers[name]))
        chromium.close()
    return answers


if __name__ == "__main__":
    main()
