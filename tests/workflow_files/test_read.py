from pathlib import Path

import pytest

from ltx_studio.engine import Engine
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.workflow_files.read import read_workflow
from tests.support import TEMPLATES, finish, load_golden_editor, small_workflow

TEMPLATE = "video_ltx2_3_t2v.json"


def test_reads_what_the_editor_saves(definitions: Definitions) -> None:
    graph = read_workflow(TEMPLATES / TEMPLATE, definitions)

    assert {key: node["inputs"] for key, node in graph.items()} == {
        key: node["inputs"] for key, node in load_golden_editor()[TEMPLATE].items()
    }


def test_reads_api_format_and_what_one_posts_to_a_server(tmp_path: Path, definitions: Definitions) -> None:
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}}}
    for text in (f"{graph}", f"{{'prompt': {graph}}}"):
        file = tmp_path / "graph.json"
        file.write_text(text.replace("'", '"'))

        assert read_workflow(file, definitions) == graph


def test_reads_a_video_that_was_made_here(engine: Engine, definitions: Definitions) -> None:
    workflow = small_workflow()

    assert read_workflow(finish(engine, workflow), definitions) == workflow.graph


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.json", None, "cannot be read"),
        ("bad.json", b"{", "is not JSON"),
        ("binary.json", b"\xff\xfe\x00", "is not Unicode text"),
        ("list.json", b"[]", "not an API-format"),
        ("gone.mp4", None, "cannot be read"),
        ("text.mp4", b"hello", "cannot be read as a video"),
        ("list.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nother.ts\n#EXT-X-ENDLIST\n", "read as a video"),
    ],
)
def test_what_carries_no_workflow_is_refused_in_words(
    tmp_path: Path, definitions: Definitions, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(WorkflowError, match=said) as caught:
        read_workflow(tmp_path / name, definitions)

    assert caught.value.hint
