"""The studio starts its worker whatever is in the way, and keeps the files of requests."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from ltx_studio.pocket import files
from ltx_studio.queue import LOCAL
from ltx_studio.queue.states import Failed, Queued, Running
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from tests.runners.quick import QuickRunner
from tests.support import small_spec


def test_takes_that_cannot_be_removed_now_do_not_keep_the_work_from_beginning(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = Studio(home)
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])

    def full() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(studio.takes, "remove_leaving", full)
    studio.work()
    try:
        end = time.monotonic() + 60
        while isinstance(state := studio.jobs.get(job, LOCAL).state, Queued | Running) and time.monotonic() < end:
            time.sleep(0.02)
    finally:
        assert studio.close(60)

    assert isinstance(state, Failed)  # nothing is set up in this home, so that much was tried


def kept_lora(studio: Studio, file: Path) -> Path:
    """Where it is kept when a request with it is handed in."""
    (job,) = studio.jobs.submit(LOCAL, [small_spec(loras=[{"file": file}])])
    return studio.jobs.request(studio.jobs.get(job, LOCAL)).files()["loras.0"]


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    path = tmp_path / "uploads" / "mine.safetensors"
    path.parent.mkdir()
    path.write_bytes((files.SHIPPED / files.STYLE_LORA).read_bytes())
    return path


def test_a_lora_stays_where_it_is_and_an_upload_is_copied(home: Settings, lora: Path) -> None:
    studio = Studio(home)
    assert kept_lora(studio, lora).readlink() == lora

    studio.jobs.uploads = lora.parent  # as Gradio is told by GRADIO_TEMP_DIR
    kept = kept_lora(studio, lora)
    lora.unlink()

    assert kept.is_file()


def test_uploads_are_known_behind_a_link_too(home: Settings, lora: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(lora.parent)
    studio = Studio(home)
    studio.jobs.uploads = tmp_path / "link"

    assert not kept_lora(studio, lora).is_symlink()


def test_what_was_left_is_downloaded_once_a_studio_that_works_starts(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[Settings] = []
    for works in (False, True):
        studio = Studio(home, QuickRunner(home), works=works)
        monkeypatch.setattr(studio.models, "work", lambda: began.append(home))
        studio.start()
        assert studio.close(60)
        assert len(began) == works


def test_closing_stops_the_download_first_and_shares_one_timeout(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, now, said = QuickRunner(home), [0.0], list[tuple[str, float]]()
    studio = Studio(home, runner)

    def closer(name: str, *, result: bool) -> Callable[[float], bool]:
        def close(timeout: float) -> bool:
            said.append((name, timeout))
            now[0] += 4
            return result

        return close

    monkeypatch.setattr("ltx_studio.studio.studio.time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(studio.models, "stop", lambda: said.append(("stop", 0)))
    monkeypatch.setattr(studio, "close_worker", closer("worker", result=True))
    monkeypatch.setattr(runner, "close", closer("runner", result=True))
    monkeypatch.setattr(studio.models, "close", closer("models", result=False))

    assert not studio.close(6)

    assert said == [("stop", 0), ("worker", 6), ("runner", 2), ("models", 0)]
