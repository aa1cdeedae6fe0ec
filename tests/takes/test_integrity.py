"""Files and rows that do not agree are found, and mended without losing a take."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ltx_studio.advice import Advice, Do
from ltx_studio.engine import Engine, run_folders
from ltx_studio.errors import ExecutionError, RequestError, SetupError
from ltx_studio.queue import LOCAL, Database, Done
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.rebuild import recover
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.takes import recipes
from ltx_studio.takes.history import History
from ltx_studio.takes.integrity import IntegrityCheck
from ltx_studio.takes.records import NewTake
from ltx_studio.takes.unused_inputs import UNUSED_SECONDS
from tests.queue.damaged import DAMAGES, settle
from tests.support import home_apart, small_spec
from tests.takes.test_provenance import write_video


@pytest.fixture(scope="module")
def made(settings: Settings, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A studio with one take."""
    apart = home_apart(settings, tmp_path_factory.mktemp("agreement"))
    studio = Studio(apart, LocalRunner(apart, engine))
    studio.work()
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])
    *_, ended = studio.jobs.follow(job, LOCAL)
    assert isinstance(ended.state, Done)
    assert studio.close_worker(60)
    return apart


def mended(settings: Settings) -> None:
    agreement = IntegrityCheck(settings)
    agreement.mend(agreement.look())
    assert not agreement.look().found


def test_what_agrees_is_left_alone(made: Settings) -> None:
    assert not IntegrityCheck(made).look().found


def test_a_poster_is_made_again(made: Settings) -> None:
    (poster,) = made.posters_dir.iterdir()
    poster.unlink()

    assert IntegrityCheck(made).look().posterless == (poster.stem,)
    mended(made)
    assert poster.exists()


def test_a_take_without_a_row_comes_into_the_history(made: Settings) -> None:
    studio = Studio(made)
    (take,) = studio.takes.page(LOCAL).takes
    file = studio.takes.path(take)
    copy = file.read_bytes()
    studio.takes.delete(take.id, LOCAL)
    file.write_bytes(copy)

    assert IntegrityCheck(made).look().strays == (file,)
    mended(made)
    (found,) = studio.takes.page(LOCAL).takes
    assert (found.id, found.recipe, found.prompt, found.clip) == (take.id, take.recipe, take.prompt, take.clip)
    assert studio.takes.page(LOCAL, search="bounces").takes == (found,)


def test_a_take_whose_file_is_missing_stays_and_comes_back(made: Settings) -> None:
    studio = Studio(made)
    (take,) = studio.takes.page(LOCAL).takes
    file = studio.takes.path(take)
    away = file.with_name("away")
    file.rename(away)
    try:
        seen = IntegrityCheck(made).look()
        assert (seen.missing, seen.posterless, seen.found) == ((take.id,), (), False)
        IntegrityCheck(made).mend(seen)
        assert studio.takes.page(LOCAL).takes == (take,)
        assert studio.takes.is_missing(take)
        assert studio.takes.poster(take.id).exists()
    finally:
        away.rename(file)
    assert not studio.takes.is_missing(take)
    assert IntegrityCheck(made).look().missing == ()


def test_what_nothing_needs_goes_when_it_is_old_and_what_is_unknown_stays(made: Settings) -> None:
    old, new = made.kept_dir / "old.png", made.kept_dir / "new.png"
    own = made.outputs_dir / "2026-01-01" / "holiday.mp4"
    for path in (old, new, own):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    os.utime(old, (0, old.stat().st_mtime - 2 * UNUSED_SECONDS))

    seen = IntegrityCheck(made).look()

    assert (seen.unused, seen.unknown) == ((old,), (own,))
    mended(made)
    assert new.exists()
    assert own.exists()
    assert not Path(old).exists()


def test_a_take_whose_job_did_not_end_well_is_its_owners_and_the_job_is_done(made: Settings) -> None:
    database = Database(made.database_file)
    studio = Studio(made)
    (take,) = studio.takes.page(LOCAL).takes
    file = studio.takes.path(take)
    copy = file.read_bytes()
    studio.takes.delete(take.id, LOCAL)
    file.write_bytes(copy)
    with database.write() as connection:
        connection.execute("INSERT INTO owners (id) VALUES ('ada')")
        connection.execute("UPDATE jobs SET state = 'failed', owner = 'ada', error = '{}' WHERE id = ?", (take.job,))

    mended(made)

    (found,) = studio.takes.page("ada").takes
    assert found.id == take.id
    assert studio.jobs.get(take.job, "ada").state.name == "done"
    assert studio.takes.page(LOCAL).takes == ()


def test_clips_are_found_again_after_their_database_was_lost(made: Settings) -> None:
    studio = Studio(made)
    before = {take.id: (take.file, take.recipe, take.clip) for take in studio.takes.page("ada").takes}
    assert before
    del studio
    settle(made.database_file)
    DAMAGES["text"](made.database_file)

    recover(made)
    mended(made)

    found = Studio(made).takes.page(LOCAL).takes
    assert {take.id: (take.file, take.recipe, take.clip) for take in found} == before


class Away:
    """A studio with takes whose files are there or missing, as the test wants."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self.database = Database(self.settings.database_file)
        self.history = History(self.database, self.settings.outputs_dir, self.settings.posters_dir)

    def add(self, *, there: bool, owner: str = LOCAL) -> str:
        queue = Queue(self.database)
        (job,) = queue.submit(owner, [("t2v", {"mode": "t2v", "params": {"prompt": "x"}})])
        queue.claim([job])
        queue.finish(job, NewTake(job, job, owner, "t2v", 1.0, f"d/{job}.gif", 10, "x", {"params": {}}, {}))
        if there:
            self.settings.outputs_dir.joinpath("d").mkdir(parents=True, exist_ok=True)
            self.settings.outputs_dir.joinpath("d", f"{job}.gif").write_bytes(b"x" * 10)
        return job

    def takes(self, owner: str = LOCAL) -> list[str]:
        return [take.id for take in reversed(self.history.page(owner).takes)]


@pytest.mark.parametrize("there", [0, 1, 2, 5])
def test_no_repair_deletes_a_row_because_a_disk_is_away(tmp_path: Path, there: int) -> None:
    """Whether all are missing, or others were made meanwhile."""
    away = Away(tmp_path)
    made = [away.add(there=False) for _ in range(3)] + [away.add(there=True) for _ in range(there)]
    agreement = IntegrityCheck(away.settings)

    for _ in range(2):
        seen = agreement.look()
        agreement.mend(seen)

    assert list(seen.missing) == made[:3]
    assert away.takes() == made


@pytest.mark.parametrize("said", [1, 4, 99])
def test_only_the_right_number_forgets(tmp_path: Path, said: int) -> None:
    away = Away(tmp_path)
    made = [away.add(there=False) for _ in range(2)] + [away.add(there=True), away.add(there=False, owner="ada")]

    with pytest.raises(RequestError, match="3 clips have a missing file, not") as told:
        IntegrityCheck(away.settings).forget_missing(said)

    assert told.value.advice == Advice.to(Do.FORGET_MISSING, count="3")
    assert (away.takes(), away.takes("ada")) == (made[:3], made[3:])


def test_the_right_number_forgets_what_is_missing_and_nothing_else(tmp_path: Path) -> None:
    away = Away(tmp_path)
    made = [away.add(there=False), away.add(there=True), away.add(there=False, owner="ada")]

    IntegrityCheck(away.settings).forget_missing(2)

    assert (away.takes(), away.takes("ada")) == (made[1:2], [])
    assert away.history.page(LOCAL, search="xxx").takes == ()
    with pytest.raises(RequestError, match="0 clips"):
        IntegrityCheck(away.settings).forget_missing(2)


def test_pruning_neither_counts_nor_removes_what_is_missing(tmp_path: Path) -> None:
    away = Away(tmp_path)
    made = [away.add(there=number % 2 == 1) for number in range(6)]
    present, missing = made[1::2], made[0::2]

    room = away.history.room(LOCAL)
    assert (room.takes, room.bytes, room.missing) == (3, 30, 3)
    assert away.history.prunable(LOCAL, keep_bytes=20).takes == 1
    assert away.history.prune(LOCAL, keep=3) == []
    assert away.history.prune(LOCAL, keep_bytes=20) == present[:1]
    assert away.history.prune(LOCAL, keep=0) == present[1:]
    assert away.takes() == missing


def test_kept_files_stay_while_a_row_cannot_be_read(tmp_path: Path) -> None:
    """It may be what they are for."""
    away = Away(tmp_path)
    job = away.add(there=True)
    kept = away.settings.kept_dir / f"{'a' * 64}.png"
    kept.parent.mkdir()
    kept.touch()
    os.utime(kept, (0, kept.stat().st_mtime - 2 * UNUSED_SECONDS))
    assert IntegrityCheck(away.settings).look().unused == (kept,)
    with away.database.write() as connection:
        connection.execute("UPDATE takes SET recipe = '[]' WHERE id = ?", (job,))

    assert IntegrityCheck(away.settings).look().unused == ()


def test_a_clip_that_cannot_be_taken_in_does_not_stop_the_others(tmp_path: Path) -> None:
    away = Away(tmp_path)
    bad = away.settings.outputs_dir / "d" / "t2v-0123456789ab.mp4"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(b"no clip")
    agreement = IntegrityCheck(away.settings)
    seen = replace(agreement.look(), strays=(bad,))

    agreement.mend(seen)

    assert bad.exists()


def test_outputs_that_are_no_folder_are_said(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.outputs_dir.touch()

    with pytest.raises(SetupError, match="is not a folder"):
        IntegrityCheck(settings).look()


class Staged:
    """A studio whose runs have left clips in staging."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self.queue = Queue(Database(self.settings.database_file))
        self.history = History(Database(self.settings.database_file), self.settings.outputs_dir, home / "posters")

    def submit(self) -> str:
        (job,) = self.queue.submit("ada", [("t2v", small_spec().as_dict())])
        self.queue.claim([job])
        return job

    def leave(self, run_id: str) -> Path:
        """Return the clip that a run has left."""
        folder = run_folders.create(self.settings.staging_dir, run_id)
        write_video(folder.saving / "clip.mp4", "libx264", "yuv420p")
        (clip,) = folder.finish([folder.saving / "clip.mp4"])
        return clip


def test_a_clip_in_staging_whose_job_failed_comes_into_the_history(tmp_path: Path) -> None:
    staged = Staged(tmp_path)
    job = staged.submit()
    clip = staged.leave(job)
    staged.queue.fail(job, ExecutionError("The clip could not be kept.", "Free some space."))

    assert IntegrityCheck(staged.settings).look().strays == (clip,)
    mended(staged.settings)

    (take,) = staged.history.page("ada").takes
    assert (take.job, take.recipe["params"]["seed"]) == (job, 7)
    assert recipes.read(staged.history.path(take)).params["seed"] == 7
    assert staged.history.poster(take.id).exists()
    assert staged.queue.get(job, "ada").state.name == "done"
    assert list(staged.settings.staging_dir.iterdir()) == []


@pytest.mark.parametrize("state", ["running", "queued"])
def test_a_clip_in_staging_is_left_to_its_job_as_long_as_that_goes_on(tmp_path: Path, state: str) -> None:
    staged = Staged(tmp_path)
    job = staged.submit()
    clip = staged.leave(job)
    if state == "queued":
        staged.queue.recover()
    check = IntegrityCheck(staged.settings)

    check.mend(replace(check.look(), strays=(clip,)))  # it failed a moment ago, and was tried again

    assert not check.look().found
    assert check.look().unknown == ()
    assert clip.exists()


def test_a_clip_in_staging_that_nobody_wants_goes_and_one_of_no_job_stays(tmp_path: Path) -> None:
    staged = Staged(tmp_path)
    job = staged.submit()
    unwanted, foreign = staged.leave(job), staged.leave("0123456789ab")
    staged.leave(run_folders.new_run_id())  # of this process
    staged.queue.drop(job)

    seen = IntegrityCheck(staged.settings).look()

    assert (seen.unused, seen.unknown, seen.strays) == ((unwanted,), (foreign,), ())
    mended(staged.settings)
    assert not unwanted.parent.exists()
    assert foreign.exists()
