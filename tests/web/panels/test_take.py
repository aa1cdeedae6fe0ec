"""What a take's panel hands out: a file that is called as people call it."""

from pathlib import Path
from typing import Any

import pytest

from ltx_studio.takes.records import TakeRecord
from ltx_studio.web import files
from ltx_studio.web.panels.take import download_name


def take(prompt: str, seed: Any = 42, file: str = "2026-11-28/t2v-0123456789ab.mp4") -> TakeRecord:
    params = {"prompt": prompt} | ({} if seed is None else {"seed": seed})
    job = "0123456789ab"
    return TakeRecord(job, job, "local", "t2v", 0.0, file, 1, prompt, {"params": params}, {}, 1, False, ())


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (take("A red ball, bouncing!"), "a-red-ball-bouncing-t2v-42.mp4"),
        (take("../../etc/passwd"), "etc-passwd-t2v-42.mp4"),
        (take("Ein grüner Ball 球"), "ein-grüner-ball-球-t2v-42.mp4"),
        (take("a\nb\x1b[31m\"c'"), "a-b-31m-c-t2v-42.mp4"),
        (take("", None), "t2v.mp4"),
        (take("…", None, "2026-11-28/t2v-0123456789ab.png"), "t2v.png"),
        (take("word " * 40), f"{'-'.join(['word'] * 12)}-t2v-42.mp4"),
    ],
)
def test_a_file_to_download_is_named_by_prompt_mode_and_seed(record: TakeRecord, name: str) -> None:
    assert download_name(record) == name


def test_a_copy_under_another_name_lies_where_nobody_can_guess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "temp"))
    (tmp_path / "t2v-1.mp4").write_bytes(b"a clip")

    first, again = (Path(files.named_copy(tmp_path / "t2v-1.mp4", "a-ball.mp4")) for _ in range(2))

    assert first == again
    assert (first.name, first.read_bytes()) == ("a-ball.mp4", b"a clip")
    assert first.parent == Path(files.private_copy(tmp_path / "t2v-1.mp4")).parent
