"""The desk begins the work whatever is in its way, and keeps what it is given."""

import sqlite3
import time
from pathlib import Path

import pytest

from ltx_studio.jobs import LOCAL, Desk
from ltx_studio.jobs.states import Failed, Queued, Running
from ltx_studio.pocket import files
from ltx_studio.settings import Settings
from tests.support import small_spec


def test_takes_that_cannot_be_removed_now_do_not_keep_the_work_from_beginning(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(home)
    (job,) = desk.submit(LOCAL, [small_spec()])

    def full() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(desk.history, "remove_leaving", full)
    desk.work()
    try:
        end = time.monotonic() + 60
        while isinstance(state := desk.queue.get(job, LOCAL).state, Queued | Running) and time.monotonic() < end:
            time.sleep(0.02)
    finally:
        assert desk.close(60)

    assert isinstance(state, Failed)  # nothing is set up in this home, so that much was tried


def kept_lora(desk: Desk, file: Path) -> Path:
    """Where it is kept when a request with it is handed in."""
    (job,) = desk.submit(LOCAL, [small_spec(loras=[{"file": file}])])
    return desk.spec(desk.queue.get(job, LOCAL)).files()["loras.0"]


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    path = tmp_path / "uploads" / "mine.safetensors"
    path.parent.mkdir()
    path.write_bytes((files.SHIPPED / files.STYLE_LORA).read_bytes())
    return path


def test_a_lora_stays_where_it_is_and_an_upload_is_copied(home: Settings, lora: Path) -> None:
    desk = Desk(home)
    assert kept_lora(desk, lora).readlink() == lora

    desk.uploads = lora.parent  # as Gradio is told by GRADIO_TEMP_DIR
    kept = kept_lora(desk, lora)
    lora.unlink()

    assert kept.is_file()


def test_uploads_are_known_behind_a_link_too(home: Settings, lora: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(lora.parent)
    desk = Desk(home)
    desk.uploads = tmp_path / "link"

    assert not kept_lora(desk, lora).is_symlink()
