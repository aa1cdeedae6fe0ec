"""Files and rows that do not agree are found, and mended without losing a take."""

import os
from pathlib import Path

import pytest

from ltx_studio.engine import Engine
from ltx_studio.errors import SetupError
from ltx_studio.jobs import LOCAL, Database, Desk, Done, LocalRunner
from ltx_studio.jobs.agreement import UNUSED_SECONDS, Agreement
from ltx_studio.jobs.history import History, NewTake
from ltx_studio.jobs.queue import Queue
from ltx_studio.settings import Settings
from tests.support import small_spec


@pytest.fixture(scope="module")
def made(settings: Settings, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A studio with one take."""
    home = tmp_path_factory.mktemp("agreement")
    for name in ("models", "comfyui"):
        (home / name).symlink_to(settings.home / name)
    apart = Settings(home=home, comfy_dir=settings.comfy_dir, hub_cache=settings.hub_cache)
    desk = Desk(apart, LocalRunner(apart, engine))
    desk.work()
    (job,) = desk.submit(LOCAL, [small_spec()])
    *_, ended = desk.follow(job, LOCAL)
    assert isinstance(ended.state, Done)
    assert desk.close_worker(60)
    return apart


def mended(settings: Settings) -> None:
    agreement = Agreement(settings)
    agreement.mend(agreement.look())
    assert not agreement.look().found


def test_what_agrees_is_left_alone(made: Settings) -> None:
    assert not Agreement(made).look().found


def test_a_poster_is_made_again(made: Settings) -> None:
    (poster,) = made.posters_dir.iterdir()
    poster.unlink()

    assert Agreement(made).look().posterless == (poster.stem,)
    mended(made)
    assert poster.exists()


def test_a_take_without_a_row_comes_into_the_history(made: Settings) -> None:
    desk = Desk(made)
    (take,) = desk.history.page(LOCAL).takes
    file = desk.history.path(take)
    copy = file.read_bytes()
    desk.history.delete(take.id, LOCAL)
    file.write_bytes(copy)

    assert Agreement(made).look().strays == (file,)
    mended(made)
    (found,) = desk.history.page(LOCAL).takes
    assert (found.id, found.recipe, found.prompt, found.clip) == (take.id, take.recipe, take.prompt, take.clip)
    assert desk.history.page(LOCAL, search="bounces").takes == (found,)


def test_a_row_without_a_file_goes(made: Settings) -> None:
    desk = Desk(made)
    (take,) = desk.history.page(LOCAL).takes
    file = desk.history.path(take)
    copy = file.read_bytes()
    file.unlink()
    try:
        assert Agreement(made).look().lost == (take.id,)
        mended(made)
        assert desk.history.page(LOCAL).takes == ()
    finally:
        file.write_bytes(copy)
        mended(made)


def test_what_nothing_needs_goes_when_it_is_old_and_what_is_unknown_stays(made: Settings) -> None:
    old, new = made.kept_dir / "old.png", made.kept_dir / "new.png"
    own = made.outputs_dir / "2026-01-01" / "holiday.mp4"
    for path in (old, new, own):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    os.utime(old, (0, old.stat().st_mtime - 2 * UNUSED_SECONDS))

    seen = Agreement(made).look()

    assert (seen.unused, seen.unknown) == ((old,), (own,))
    mended(made)
    assert new.exists()
    assert own.exists()
    assert not Path(old).exists()


def test_a_take_whose_job_did_not_end_well_is_its_owners_and_the_job_is_done(made: Settings) -> None:
    database = Database(made.database_file)
    desk = Desk(made)
    (take,) = desk.history.page(LOCAL).takes
    file = desk.history.path(take)
    copy = file.read_bytes()
    desk.history.delete(take.id, LOCAL)
    file.write_bytes(copy)
    with database.write() as connection:
        connection.execute("INSERT INTO owners (id) VALUES ('ada')")
        connection.execute("UPDATE jobs SET state = 'failed', owner = 'ada', error = '{}' WHERE id = ?", (take.job,))

    mended(made)

    (found,) = desk.history.page("ada").takes
    assert found.id == take.id
    assert desk.queue.get(take.job, "ada").state.name == "done"
    assert desk.history.page(LOCAL).takes == ()


def test_where_no_clip_is_there_their_rows_stay(tmp_path: Path) -> None:
    """More likely than not, the disk with the outputs is not there."""
    settings = Settings(home=tmp_path)
    queue = Queue(Database(settings.database_file))
    for job in queue.submit(LOCAL, [("t2v", {"prompt": "x", "params": {}})] * 2):
        queue.claim([job])
        queue.finish(job, NewTake(job, job, LOCAL, "t2v", 1.0, f"gone/{job}.mp4", 1, "x", {"params": {}}, {}))
    agreement = Agreement(settings)

    seen = agreement.look()
    agreement.mend(seen)

    assert seen.all_lost
    assert (
        len(History(Database(settings.database_file), settings.outputs_dir, settings.posters_dir).page(LOCAL).takes)
        == 2
    )


def test_outputs_that_are_no_folder_are_said(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.outputs_dir.touch()

    with pytest.raises(SetupError, match="is no folder"):
        Agreement(settings).look()
