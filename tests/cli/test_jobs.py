"""The queue, batches and the doctor on the command line, in this process: what they print is what counts."""

import json
from pathlib import Path

import pytest

from ltx_studio.queue import LOCAL, Database
from ltx_studio.queue.queue import Queue
from tests.cli.conftest import Terminal


def hand_in(terminal: Terminal, *options: str) -> list[str]:
    return terminal("generate", "t2v", "--prompt", "a ball", "--detach", *options).split()


def test_what_is_handed_in_waits_and_is_listed_in_order(terminal: Terminal) -> None:
    ids = hand_in(terminal, "--takes", "3", "--seed", "5")

    assert "ltx-studio jobs run" in terminal.err
    listed = terminal.json("jobs", "list")
    assert [job["id"] for job in listed] == ids
    assert {"id", "state", "mode", "owner", "created", "progress", "take"} <= set(listed[0])
    assert [(job["state"], job["ahead"], job["owner"]) for job in listed] == [
        ("queued", number, LOCAL) for number in range(3)
    ]
    assert [terminal.json("jobs", "show", job)["spec"]["params"]["seed"] for job in ids] == [5, 6, 7]


def test_jobs_are_moved_stopped_and_tried_again(terminal: Terminal) -> None:
    first, second, third = hand_in(terminal, "--takes", "3")

    terminal("jobs", "move", third, "1")
    assert [job["id"] for job in terminal.json("jobs", "list")] == [third, first, second]
    assert terminal.json("jobs", "cancel", first)["state"] == "cancelled"
    assert terminal.json("jobs", "retry", first)["ahead"] == 2
    assert "cannot be retried" in terminal("jobs", "retry", second, rc=2) + terminal.err
    assert "There is no job" in terminal("jobs", "show", "nothing", rc=2) + terminal.err


def test_a_pause_holds_what_waits(terminal: Terminal) -> None:
    hand_in(terminal)
    queue = Queue(Database(terminal.settings.database_file))

    assert "paused" in terminal("jobs", "pause")
    assert queue.claim() is None
    terminal("jobs", "list")
    assert "paused" in terminal.err
    hand_in(terminal)
    assert "paused" in terminal.err
    terminal("jobs", "run")
    assert "paused" in terminal.err
    terminal("jobs", "resume")
    assert queue.claim() is not None


def test_a_batch_is_handed_in_whole_or_not_at_all(terminal: Terminal, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.jsonl"
    good.write_text("prompt,seed\na,1\nb,2\n")
    bad.write_text('{"prompt": "a"}\n{"prompt": ""}\n')

    assert "bad.jsonl, line 2" in terminal("jobs", "add", str(bad), "--mode", "t2v", rc=2) + terminal.err
    assert terminal.json("jobs", "list") == []
    ids = terminal.json("jobs", "add", str(good), "--mode", "t2v")["jobs"]

    assert [job["id"] for job in terminal.json("jobs", "list")] == ids
    assert len({job["batch"] for job in terminal.json("jobs", "list")}) == 1


def test_what_is_to_be_known_of_each_request_is_said_when_it_is_added(terminal: Terminal, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("prompt,camera_strength,seconds\na,1,2\nb,1.5,0.5\n")
    said = [
        "Camera strength has no effect without a camera move.",
        "The clip is 0.38 s long instead of 0.5 s: the frame count is a multiple of 8, plus 1.",
    ]

    terminal("jobs", "add", str(table), "--mode", "t2v")
    assert all(f"Request 2: {note}" in terminal.err for note in said)
    assert "Request 1" not in terminal.err
    assert terminal.json("jobs", "add", str(table), "--mode", "t2v")["notes"] == [[], [said[1], said[0]]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generate", "t2v", "--prompt", "x", "--takes", "2", "--out", "a.mp4"], "--out cannot be combined"),
        (["generate", "t2v", "--prompt", "x", "--detach", "--out", "a.mp4"], "--out cannot be combined"),
        (["generate", "--seed", "4", "t2v", "--prompt", "x"], "Options must come after the mode"),
        (["generate", "--from", "nothing.mp4"], "nothing.mp4"),
        (["recipe", "nothing.mp4"], "nothing.mp4"),
        (["recipe", "verify", "nothing.mp4"], "nothing.mp4"),
        (["recipe", "nodes", "nowhere"], "not a folder"),
        (["workflow", "run", "nothing.json"], "nothing.json"),
        (["generate", "--from", "x.mp4", "--file", "image"], "is not NAME=PATH, such as image=picture.png"),
    ],
)
def test_a_wrong_command_says_what_to_do_and_hands_nothing_in(
    arguments: list[str], said: str, terminal: Terminal
) -> None:
    terminal(*arguments, rc=2)

    assert said in terminal.err
    assert terminal.json("jobs", "list") == []


def test_the_doctor_finds_a_whole_studio_whole(terminal: Terminal) -> None:
    hand_in(terminal)

    found = {each["name"]: each for each in terminal.json("doctor")}

    assert all(each["good"] for each in found.values()), found
    assert {"Studio", "Home", "ComfyUI", "Models", "Database", "History"} <= set(found)


def test_the_doctor_finds_what_is_missing_and_what_is_broken(terminal: Terminal) -> None:
    hand_in(terminal)
    (terminal.settings.home / "models").unlink()
    terminal.settings.database_file.with_name("studio.db-wal").unlink(missing_ok=True)
    terminal.settings.database_file.write_bytes(b"no database" * 500)

    found = {each["name"]: each for each in terminal.json("doctor", rc=1)}

    assert found["Models"]["hint"] == "Run `ltx-studio setup`."
    assert not found["Database"]["good"]
    assert "ltx-studio doctor --repair" in found["Database"]["hint"]


def test_a_workflows_form_is_shown(terminal: Terminal, tmp_path: Path) -> None:
    graph = {"1": {"class_type": "RandomNoise", "inputs": {"noise_seed": 4}, "_meta": {"title": "Dice"}}}
    (tmp_path / "w.json").write_text(json.dumps(graph))

    (field,) = terminal.json("workflow", "form", str(tmp_path / "w.json"))

    assert (field["key"], field["title"], field["kind"], field["value"]) == ("1.noise_seed", "Dice", "seed", 4)
    assert "Dice" in terminal("workflow", "form", str(tmp_path / "w.json"))
