"""With a damaged database every command says so and names the way out, which leads out; rows of nonsense are shown."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.advice import Do
from ltx_studio.cli.commands import main
from ltx_studio.cli.hints import WORDS
from ltx_studio.queue import LOCAL, Database, Queue, rebuild
from ltx_studio.settings import Settings, get_settings
from ltx_studio.takes.history import History
from ltx_studio.takes.records import NewTake
from tests.queue.damaged import DAMAGES, UNSEEN, Damage, settle

WAY_OUT = WORDS[Do.REPAIR_DATABASE]
ID = "0123456789ab"
COMMANDS = [
    ["jobs", "list"],
    ["jobs", "show", ID],
    ["jobs", "cancel", ID],
    ["jobs", "retry", ID],
    ["jobs", "move", ID, "1"],
    ["jobs", "pause"],
    ["jobs", "resume"],
    ["jobs", "add", "batch.csv", "--mode", "t2v"],
    ["takes", "list"],
    ["takes", "list", "ball"],
    ["takes", "favourite", ID],
    ["takes", "tag", ID, "a"],
    ["takes", "delete", ID],
    ["takes", "prune", "--keep", "1"],
    ["generate", "t2v", "--prompt", "a ball", "--detach"],
    ["generate", "t2v", "--prompt", "a ball"],
    ["doctor"],
    ["doctor", "--forget-missing", "1"],
]
NEED_ALL = {"add", "generate", "doctor"}
"""Commands that look at the whole file first."""


class Shell:
    """Runs commands in this process, in a home without ComfyUI."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.settings, self._capsys = Settings(home=home), capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = self._capsys.readouterr()
        return int(ended.value.code or 0), out, err

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json")[1])


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    monkeypatch.setenv("LTX_STUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LTX_STUDIO_COMFY_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("batch.csv").write_text("prompt\na\n")
    get_settings.cache_clear()
    yield Shell(tmp_path / "home", capsys)
    get_settings.cache_clear()


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that was used, whole."""
    path = tmp_path_factory.mktemp("used") / "studio.db"
    with closing(Database(path)) as database:
        fill(database, path.parent)
    settle(path)
    return path


def fill(database: Database, folder: Path) -> None:
    queue, history = Queue(database), History(database, folder, folder)
    for number in range(30):
        (job,) = queue.submit(LOCAL, [("t2v", {"mode": "t2v", "params": {"prompt": f"ball {number}", "x": "x" * 900}})])
        queue.claim([job])
        queue.finish(
            job, NewTake(job, job, LOCAL, "t2v", 1.0, f"{job}.mp4", 1, "ball", {"params": {"x": "y" * 1500}}, {})
        )
        history.tag(job, LOCAL, ["good"])


def test_the_commands_are_all_that_there_are() -> None:
    """A new one is to be tried with a damaged database, too."""
    from ltx_studio.cli.jobs import jobs
    from ltx_studio.cli.takes import takes

    tried = {tuple(command[:2]) for command in COMMANDS} | {("jobs", "run")}
    assert {("jobs", name) for name in jobs.commands} | {("takes", name) for name in takes.commands} <= tried


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_every_command_names_the_way_out(shell: Shell, used: Path, damage: Damage) -> None:
    shell.settings.home.mkdir()
    shutil.copyfile(used, shell.settings.database_file)
    damage(shell.settings.database_file)

    for command in [*COMMANDS, ["jobs", "run"]]:
        code, out, err = shell(*command)
        said = out + err
        assert "unexpected" not in said, (command, said)
        assert "Traceback" not in said
        if set(command) & NEED_ALL:
            assert WAY_OUT in said, (command, said)
        if WAY_OUT in said:
            assert code == 1, command
        else:  # it did not come to what is damaged
            assert code in (0, 2), (command, said)


@pytest.mark.parametrize("damage", [*DAMAGES.values(), *UNSEEN.values()], ids=[*DAMAGES, *UNSEEN])
def test_the_doctor_repairs_it(shell: Shell, used: Path, damage: Damage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "TRIED_NUMBERS", 500)  # of 30 rows; 20,000 take most of the time
    shell.settings.home.mkdir()
    shutil.copyfile(used, shell.settings.database_file)
    damage(shell.settings.database_file)

    found = {each["name"]: each for each in shell.json("doctor", "--repair")}
    assert found["Database"] == {"name": "Database", "good": True, "found": "ok", "hint": ""}
    if "Recovered" in found:
        (aside,) = (path for path in shell.settings.home.glob("studio.db.damaged-*") if path.suffix != ".db-wal")
        assert str(aside) in found["Recovered"]["found"]
    assert shell("jobs", "list")[0] == 0
    assert shell("takes", "list", "ball")[0] == 0
    assert "Recovered" not in {each["name"] for each in shell.json("doctor", "--repair")}


def test_the_page_does_not_open_on_a_damaged_database(shell: Shell, used: Path) -> None:
    shell.settings.home.mkdir()
    shutil.copyfile(used, shell.settings.database_file)
    DAMAGES["last pages noise"](shell.settings.database_file)

    code, out, err = shell("serve")

    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == WAY_OUT


def test_rows_of_nonsense_are_listed_shown_and_cancelled(shell: Shell) -> None:
    queue = Queue(Database(shell.settings.database_file))
    ids = queue.submit(LOCAL, [("t2v", {"mode": "t2v", "params": {"prompt": f"ball {n}"}}) for n in range(5)])
    with closing(sqlite3.connect(shell.settings.database_file)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for job, column, value in zip(
            ids, ("spec", "spec", "state", "created"), ("{}", "no JSON", "dancing", 1e300), strict=False
        ):
            connection.execute(f"UPDATE jobs SET {column} = ? WHERE id = ?", (value, job))

    code, out, err = shell("jobs", "list")

    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 5
    assert out.count("Damaged") == 2
    assert len(shell.json("jobs", "list")) == 5
    for job in ids:
        assert shell("jobs", "show", job)[0] == 0
        assert shell("jobs", "cancel", job)[0] == 0
    assert queue.claim() is None
