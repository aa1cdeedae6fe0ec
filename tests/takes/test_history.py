"""Takes are found, kept, tagged and removed by their owner alone."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.queue.damage import DatabaseUnusableError
from ltx_studio.queue.database import Database
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.states import Done
from ltx_studio.takes.disk_usage import Room
from ltx_studio.takes.history import ASIDE_SECONDS, UNDO_SECONDS, History
from ltx_studio.takes.records import NewTake

PROMPTS = ("a red ball bounces", "a blue ball rolls", "ein Würfel im Regen", 'say "yes" 100%', "😀 night")


class Records:
    """A queue and a history with some takes of ada's."""

    def __init__(self, folder: Path) -> None:
        database = Database(folder / "studio.db")
        self.queue, self.outputs = Queue(database), folder / "outputs"
        self.history = History(database, self.outputs, self.outputs / "posters")
        self.database = database

    def add(self, prompt: str, *, owner: str = "ada", mode: str = "t2v", size: int = 10, aside: bool = False) -> str:
        job = self.queue.submit(owner, [(mode, {"prompt": prompt})])[0]
        self.queue.claim([job])
        file = self.outputs / f"{job}.mp4"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"x" * size)
        take = NewTake(f"t{job}", job, owner, mode, 1.0, file.name, size, prompt, {"seed": 1}, {"seconds": 2.0},
                       aside=aside)  # fmt: skip
        assert self.queue.finish(job, take)
        return take.id


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path)


@pytest.fixture
def takes(records: Records) -> list[str]:
    return [records.add(prompt) for prompt in PROMPTS]


def pages(history: History, limit: int) -> Iterator[list[str]]:
    before = None
    while True:
        page = history.page("ada", limit=limit, before=before)
        yield [take.id for take in page.takes]
        if (before := page.before) is None:
            return


def test_a_job_that_is_done_names_its_take(records: Records) -> None:
    take = records.history.get(records.add("a red ball"), "ada")

    state = records.queue.get(take.job, "ada").state
    assert isinstance(state, Done)
    assert state.take == take.id
    assert records.history.path(take).exists()


def test_a_job_has_one_take_at_most(records: Records) -> None:
    take = records.history.get(records.add("a red ball"), "ada")

    again = NewTake("other", take.job, "ada", "t2v", 2.0, "other.mp4", 1, "", {}, {})
    assert not records.queue.finish(take.job, again)
    assert len(records.history.page("ada").takes) == 1


def test_takes_come_newest_first_in_pages(records: Records, takes: list[str]) -> None:
    assert list(pages(records.history, 2)) == [takes[:2:-1], takes[2:0:-1], takes[:1]]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ball", [1, 0]),
        ("BALL", [1, 0]),
        ("all", [1, 0]),
        ("ball red", [0]),
        ("würfel", [2]),
        ("im", [2]),
        ("im regen", [2]),
        ('"yes"', [3]),
        ("100%", [3]),
        ("%", [3]),
        ("_", []),
        ("😀", [4]),
        ("ball OR night", []),
        ("nothing", []),
        ("   ", [4, 3, 2, 1, 0]),
    ],
)
def test_a_search_finds_every_word_of_it_anywhere(
    records: Records, takes: list[str], search: str, found: list[int]
) -> None:
    assert [take.id for take in records.history.page("ada", search=search).takes] == [takes[index] for index in found]


def test_tags_are_found_too_and_those_that_were_taken_away_are_not(records: Records, takes: list[str]) -> None:
    records.history.tag(takes[0], "ada", ["best  of", "Ünique", "best of", " "])
    assert records.history.get(takes[0], "ada").tags == ("best of", "Ünique")
    assert [take.id for take in records.history.page("ada", search="ünique").takes] == [takes[0]]

    records.history.tag(takes[0], "ada", [])

    assert records.history.page("ada", search="ünique").takes == ()
    assert [take.id for take in records.history.page("ada", search="bounces").takes] == [takes[0]]


def test_it_can_be_asked_for_one_mode_and_for_favourites(records: Records, takes: list[str]) -> None:
    other = records.add("a red ball", mode="i2v")
    records.history.favour(takes[1], "ada", favourite=True)

    assert [take.id for take in records.history.page("ada", mode="i2v").takes] == [other]
    assert [take.id for take in records.history.page("ada", favourites=True).takes] == [takes[1]]
    assert [take.id for take in records.history.page("ada", search="ball", favourites=True).takes] == [takes[1]]


def test_nobody_sees_or_changes_anothers_take(records: Records, takes: list[str]) -> None:
    history = records.history

    assert history.page("bob").takes == history.page("bob", search="ball").takes == ()
    for act in (
        lambda: history.get(takes[0], "bob"),
        lambda: history.favour(takes[0], "bob", favourite=True),
        lambda: history.tag(takes[0], "bob", []),
        lambda: history.delete(takes[0], "bob"),
    ):
        with pytest.raises(RequestError, match="There is no clip"):
            act()
    assert history.prune("bob", keep=0) == []
    assert len(history.page("ada").takes) == len(takes)


def test_a_deleted_take_is_gone_with_its_file_and_cannot_be_found(records: Records, takes: list[str]) -> None:
    path = records.history.path(records.history.get(takes[0], "ada"))

    records.history.delete(takes[0], "ada")

    assert not path.exists()
    assert records.history.page("ada", search="bounces").takes == ()
    with pytest.raises(RequestError):
        records.history.get(takes[0], "ada")


def test_a_take_that_is_deleted_soon_can_be_put_back_until_its_file_goes(
    records: Records, takes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    history, (first, second) = records.history, takes[:2]
    files = [history.path(history.get(take, "ada")) for take in (first, second)]
    for take in (first, second):
        history.delete_soon(take, "ada")

    history.remove_leaving()

    assert all(file.exists() for file in files)
    assert not {first, second} & {take.id for take in history.page("ada").takes}
    for refused in (lambda: history.get(first, "ada"), lambda: history.undelete(first, "bob")):
        with pytest.raises(RequestError):
            refused()
    history.undelete(first, "ada")
    now = time.time()
    monkeypatch.setattr("ltx_studio.takes.history.time.time", lambda: now + UNDO_SECONDS)
    history.remove_leaving()
    assert [file.exists() for file in files] == [True, False]
    assert first in {take.id for take in history.page("ada").takes}
    with pytest.raises(RequestError, match="permanently"):
        history.undelete(second, "ada")


def test_a_kill_between_file_and_row_is_made_up_for(records: Records, takes: list[str]) -> None:
    with records.database.write() as connection:
        connection.execute("UPDATE takes SET leaving = 1 WHERE id = ?", (takes[0],))
    records.history.path(records.history.get(takes[1], "ada")).unlink()  # and one whose file is gone

    assert takes[0] not in {take.id for take in records.history.page("ada").takes}
    records.history.remove_leaving()

    assert sorted(path.name for path in records.outputs.iterdir()) == sorted(f"{take[1:]}.mp4" for take in takes[2:])


def test_pruning_takes_the_oldest_and_never_a_favourite(records: Records, takes: list[str]) -> None:
    records.history.favour(takes[0], "ada", favourite=True)

    assert records.history.prune("ada", keep=2) == takes[1:3]
    assert {take.id for take in records.history.page("ada").takes} == {takes[0], *takes[3:]}
    assert records.history.prune("ada", keep=0) == takes[3:]
    assert [take.id for take in records.history.page("ada").takes] == [takes[0]]


def test_pruning_by_size_stops_when_the_rest_fits(records: Records, takes: list[str]) -> None:
    assert records.history.prune("ada", keep_bytes=35) == takes[:2]
    assert records.history.prune("ada", keep_bytes=35) == []


def test_too_many_tags_are_refused(records: Records, takes: list[str]) -> None:
    with pytest.raises(RequestError, match="tags"):
        records.history.tag(takes[0], "ada", [str(number) for number in range(21)])
    with pytest.raises(RequestError, match="tags"):
        records.history.tag(takes[0], "ada", ["x" * 51])


def test_what_is_only_compared_is_in_no_list_and_goes_when_nobody_removed_it(
    records: Records, takes: list[str]
) -> None:
    history = records.history
    compared, left = (records.add("a red ball", aside=True) for _ in range(2))

    assert history.get(compared, "ada").aside
    assert [take.id for take in history.page("ada").takes] == takes[::-1]
    assert {compared, left}.isdisjoint(take.id for take in history.page("ada", search="red ball").takes)
    assert {compared, left}.isdisjoint(history.prune("ada", keep=0))
    history.delete(compared, "ada")
    history.remove_leaving()
    path = history.path(history.get(left, "ada"))
    assert path.exists()  # somebody may be looking at it
    with records.database.write() as connection:
        connection.execute("UPDATE jobs SET ended = ended - ?", (ASIDE_SECONDS + 1,))

    history.remove_leaving()

    assert not path.exists()


def test_what_would_go_is_told_and_stays(records: Records, takes: list[str]) -> None:
    records.history.favour(takes[0], "ada", favourite=True)
    records.add("bob's", owner="bob", size=1000)

    assert records.history.room("ada") == Room(takes=5, favourites=1, bytes=50)
    assert records.history.prunable("ada", keep=2) == Room(takes=2, favourites=0, bytes=20)
    assert records.history.prunable("ada", keep_bytes=0) == Room(takes=4, favourites=0, bytes=40)
    assert len(records.history.page("ada").takes) == 5


def test_a_file_is_known_by_the_takes_of_its_owner_that_were_made_of_it(records: Records) -> None:
    job = records.queue.submit("ada", [("i2v", {"prompt": "c" * 64})])[0]
    records.queue.claim([job])
    recipe = {"seed": 1, "prompt": "c" * 64, "inputs": {"image": "a" * 64, "loras.0": "b" * 64}}
    assert records.queue.finish(job, NewTake("t", job, "ada", "i2v", 1.0, "t.mp4", 1, "c" * 64, recipe, {}))
    records.add("of nothing")

    assert [records.history.has_used("ada", each * 64) for each in "abc"] == [True, True, False]
    assert not records.history.has_used("ada", "a" * 63)
    assert not records.history.has_used("bob", "a" * 64)


@pytest.mark.parametrize(
    "remove",
    [
        lambda history, take: history.delete(take, "ada"),
        lambda history, take: history.delete_soon(take, "ada"),
        lambda history, take: history.delete_unmarked_soon([take], "ada"),
        lambda history, take: history.prune("ada", keep=len(PROMPTS) - 1),
    ],
    ids=["delete", "delete soon", "delete the others", "prune"],
)
def test_takes_are_deleted_while_no_byte_of_the_disk_is_free(
    remove: Callable[[History, str], object], records: Records, takes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, full = records.database.write, sqlite3.OperationalError("database or disk is full")
    reserve = records.outputs.parent / ".reserve"
    assert reserve.stat().st_size >= 1 << 20

    @contextmanager
    def write_where_there_is_room() -> Iterator[sqlite3.Connection]:
        if reserve.exists():
            raise DatabaseUnusableError.of(reserve.with_name("studio.db"), full)
        with write() as connection:
            yield connection

    monkeypatch.setattr(records.database, "write", write_where_there_is_room)

    remove(records.history, takes[0])

    assert takes[0] not in {take.id for take in records.history.page("ada").takes}


def test_space_is_reserved_again_when_takes_are_gone(records: Records, takes: list[str]) -> None:
    reserve = records.outputs.parent / ".reserve"
    reserve.unlink()

    records.history.delete(takes[0], "ada")

    assert reserve.exists()


def test_a_disk_that_stays_full_is_told(records: Records, takes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    full = DatabaseUnusableError.of(Path("studio.db"), sqlite3.OperationalError("database or disk is full"))

    def write() -> NoReturn:
        raise full

    monkeypatch.setattr(records.database, "write", write)

    with pytest.raises(DatabaseUnusableError, match="The disk is full"):
        records.history.prune("ada", keep=0)

    assert len(records.history.page("ada").takes) == len(takes)


def test_many_takes_are_pruned_in_several_lots(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltx_studio.takes.history._AT_ONCE", 2)
    takes = [records.add(f"take {number}") for number in range(7)]

    assert records.history.prune("ada", keep=2) == takes[:5]
    assert not any((records.outputs / f"{take[1:]}.mp4").exists() for take in takes[:5])
