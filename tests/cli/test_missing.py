"""Takes whose file is missing: shown as such, kept by repair, forgotten by the right number only."""

from ltx_studio.queue import LOCAL, Database, Queue
from ltx_studio.takes.records import NewTake
from tests.cli.test_damage import Shell, shell

__all__ = ["shell"]


def add(shell: Shell, *, there: bool) -> str:
    queue = Queue(Database(shell.settings.database_file))
    (job,) = queue.submit(LOCAL, [("t2v", {"mode": "t2v", "params": {"prompt": "a ball"}})])
    queue.claim([job])
    queue.finish(job, NewTake(job, job, LOCAL, "t2v", 1.0, f"d/t2v-{job}.gif", 10, "a ball", {"params": {}}, {}))
    if there:
        shell.settings.outputs_dir.joinpath("d").mkdir(parents=True, exist_ok=True)
        shell.settings.outputs_dir.joinpath("d", f"t2v-{job}.gif").touch()
    return job


def test_they_are_listed_as_missing(shell: Shell) -> None:
    gone, here = add(shell, there=False), add(shell, there=True)

    listed = {take["take"]: take for take in shell.json("takes", "list")}
    assert {take: each["missing"] for take, each in listed.items()} == {gone: True, here: False}
    lines = {line.split()[0]: line for line in shell("takes", "list")[1].splitlines()}
    assert "missing" in lines[gone]
    assert "missing" not in lines[here]


def test_repair_keeps_them_and_the_doctor_says_what_to_do(shell: Shell) -> None:
    made = [add(shell, there=number > 1) for number in range(4)]

    for command in (["doctor"], ["doctor", "--repair"], ["doctor", "--repair"]):
        history = next(each for each in shell.json(*command) if each["name"] == "History")
        assert not history["good"]
        assert history["found"] == "2 clips with a missing file"
        assert "reappear with their files" in history["hint"]
        assert "`ltx-studio doctor --forget-missing 2`" in history["hint"]
    assert [take["take"] for take in shell.json("takes", "list")] == made[::-1]


def test_they_are_forgotten_by_their_number_only(shell: Shell) -> None:
    made = [add(shell, there=number > 1) for number in range(4)]

    code, _, err = shell("doctor", "--forget-missing", "3")
    assert code == 2
    assert "2 clips have a missing file, not 3" in err
    assert len(shell.json("takes", "list")) == 4
    assert shell("doctor", "--forget-missing", "0")[0] == 2

    shell("doctor", "--forget-missing", "2")
    assert [take["take"] for take in shell.json("takes", "list")] == [made[3], made[2]]


def test_pruning_leaves_them_and_says_so(shell: Shell) -> None:
    made = [add(shell, there=number > 1) for number in range(4)]

    assert shell.json("takes", "prune", "--keep", "1") == {"removed": [made[2]]}
    code, out, err = shell("takes", "prune", "--keep", "0")
    assert (code, out) == (0, "Deleted 1.\n")
    assert "with a missing file: 2." in err
    assert [take["take"] for take in shell.json("takes", "list")] == made[1::-1]


def test_a_lost_history_is_not_told_to_be_empty(shell: Shell) -> None:
    assert "No clips yet." in shell("takes", "list")[2]
    clip = shell.settings.outputs_dir / "d" / "t2v-0123456789ab.mp4"
    clip.parent.mkdir(parents=True)
    clip.touch()

    assert "`ltx-studio doctor --repair`" in shell("takes", "list")[2]
