"""Ask ComfyUI's own editor what workflows mean in API format, and keep the answers for the tests.

    make golden

Loads ComfyUI's templates, the tests' own workflows and the master into the editor, and writes what it would queue to
tests/golden/editor.json.xz.
"""

import json
import lzma
from typing import Any

from tests.support import GOLDEN_EDITOR, editor_workflows
from tools import browser
from tools.editor import open_editor

VIRTUAL = {"Note", "MarkdownNote", "Reroute", "PrimitiveNode"}


def main() -> None:
    workflows = {name: json.loads(path.read_text()) for name, path in editor_workflows().items()}
    answers = {}
    with browser.start() as chromium, open_editor(chromium) as editor:
        for name, workflow in workflows.items():
            classes = classes_of(workflow)
            if classes and classes <= editor.nodes:
                answers[name] = editor.to_api(workflow)
                print(name, len(answers[name]))
    GOLDEN_EDITOR.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN_EDITOR.write_bytes(lzma.compress(json.dumps(answers, sort_keys=True).encode()))
    print(f"{len(answers)} answers in {GOLDEN_EDITOR}")


def classes_of(workflow: Any) -> set[str]:
    """The node classes of an editor-format workflow; none for anything else."""
    if not isinstance(workflow, dict) or "nodes" not in workflow:
        return set()
    subgraphs = workflow.get("definitions", {}).get("subgraphs", [])
    nodes = [*workflow["nodes"], *(node for subgraph in subgraphs for node in subgraph["nodes"])]
    return {node["type"] for node in nodes} - VIRTUAL - {subgraph["id"] for subgraph in subgraphs}


if __name__ == "__main__":
    main()
