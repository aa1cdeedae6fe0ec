"""Ask ComfyUI's own editor to convert workflows to API format, and save the answers for the tests.

    make golden
    python -m tools.editor_oracle generated    # one part: templates, generated or changed

- templates: ComfyUI's templates, the tests' own workflows and the master, unchanged.
- generated: 300 workflows that `tests.editor_format.generated` draws.
- changed: the templates, changed and saved by the editor.
"""

import json
import lzma
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Error

from ltx_studio.editor_format.editor_nodes import VIRTUAL
from ltx_studio.settings import get_settings
from tests.editor_format import generated
from tests.support import GOLDEN_CHANGED, GOLDEN_EDITOR, GOLDEN_GENERATED, editor_workflows
from tools import browser
from tools.editor import Editor, open_editor

GENERATED = 300
FOR_THE_EYE: tuple[str, ...] = (
    "pos",
    "size",
    "color",
    "bgcolor",
    "flags",
    "localized_name",
    "shape",
    "bounding",
    "inputNode",
)
FOR_THE_EYE += ("outputNode", "models", "groups", "ds", "cnr_id", "ver", "Node name for S&R", "order", "config")
"""Contents of a saved file that do not affect a run, left out to keep the answers small."""


def main(wanted: list[str]) -> None:
    parts = {"templates": templates, "generated": drawn, "changed": changed}
    with browser.start() as chromium, open_editor(chromium, settings=get_settings()) as editor:
        for name in wanted or parts:
            parts[name](editor)


def templates(editor: Editor) -> None:
    keep(GOLDEN_EDITOR, {name: editor.to_api(workflow) for name, workflow in runnable(editor).items()})


def drawn(editor: Editor) -> None:
    """Save the answers for as many workflows as the editor can queue: it refuses a few for a false cycle."""
    answers: dict[str, Any] = {}
    number = 0
    while sum(answer is not None for answer in answers.values()) < GENERATED:
        answers[str(number)] = _unless_refused(lambda: editor.to_api(generated.workflow(number)))  # noqa: B023
        number += 1
    keep(GOLDEN_GENERATED, answers)


def changed(editor: Editor) -> None:
    answers = {}
    for seed, (name, workflow) in enumerate(runnable(editor).items(), 1):
        saved, graph = editor.change(workflow, seed)
        answers[name] = [slim(saved), graph]
    keep(GOLDEN_CHANGED, answers)


def runnable(editor: Editor) -> dict[str, Any]:
    """Return the workflows whose node classes this ComfyUI has."""
    workflows = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in editor_workflows().items()}
    classes = {name: classes_of(workflow) for name, workflow in workflows.items()}
    return {name: workflow for name, workflow in workflows.items() if classes[name] and classes[name] <= editor.nodes}


def classes_of(workflow: Any) -> set[str]:
    """Return the node classes of an editor-format workflow; empty for anything else."""
    if not isinstance(workflow, dict) or "nodes" not in workflow:
        return set()
    subgraphs = workflow.get("definitions", {}).get("subgraphs", [])
    nodes = [*workflow["nodes"], *(node for subgraph in subgraphs for node in subgraph["nodes"])]
    return {node["type"] for node in nodes} - VIRTUAL - {subgraph["id"] for subgraph in subgraphs}


def slim(saved: Any) -> Any:
    """Return a saved file without what does not affect a run."""
    if isinstance(saved, list):
        return [slim(each) for each in saved]
    if not isinstance(saved, dict):
        return saved
    kept = {name: slim(each) for name, each in saved.items() if name not in FOR_THE_EYE}
    return kept | {"widgets_values": []} if saved.get("type") == "MarkdownNote" else kept


def keep(path: Path, answers: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress(json.dumps(answers, sort_keys=True).encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{len(answers)} answers in {path}")


def _unless_refused(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Error as error:
        print(str(error)[:200])
        return None


if __name__ == "__main__":
    main(sys.argv[1:])
