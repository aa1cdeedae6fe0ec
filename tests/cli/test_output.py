"""Nothing that users, files or servers say controls the terminal, and JSON keeps it letter by letter."""

import ast
import io
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from rich.console import Console
from rich.markup import escape

from ltx_studio.cli import downloads, progress
from ltx_studio.cli.output import echo, escaped, json_text, print_line
from ltx_studio.errors import ExecutionError
from ltx_studio.events import Event, Fetching, Finished, Waiting
from ltx_studio.queue import LOCAL, Database, Failed, Job, Progress, Queue, Queued, Running
from ltx_studio.takes.history import History
from ltx_studio.takes.records import NewTake
from ltx_studio.workflow_files.read import RECIPE_TAG
from tests.cli.conftest import Terminal
from tests.cli.test_damage import Shell, shell
from tests.support import ROOT

__all__ = ["shell"]

NASTY = {
    "escape": "\x1b[2J\x1b[31m",
    "title": "\x1b]0;owned\x07",
    "C1": "\x9b2J\x90x\x9c",
    "bidi": "\u202egpj.exe\u2066x\u2069",
    "zero width": "a\u200bb\u200d\ufeff\u2060c",
    "lines": "x\rfake\n0123456789ab  fake line\u2028\u2029\x0b\x0c",
    "nul and rubout": "\0\x08\x7f",
    "tags": "\U000e0041\U000e007f",
    "markup": "[red]x[/red][link=http://evil.test]",
}
ALL = "".join(NASTY.values())


def controls(text: str) -> list[str]:
    """What a terminal could act upon, but line breaks."""
    return [
        hex(ord(each)) for each in text if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp", "Cs") and each != "\n"
    ]


@pytest.fixture
def nasty(shell: Shell) -> tuple[Shell, str, str]:
    """A studio whose jobs and takes say nasty things; a job's id and a take's."""
    queue = Queue(Database(shell.settings.database_file))
    settings = shell.settings
    history = History(Database(settings.database_file), settings.outputs_dir, settings.posters_dir)
    request = {"mode": "t2v", "preset": ALL, "model_set": ALL, "params": {"prompt": ALL, ALL: ALL}}
    failed, done, waits = queue.submit(LOCAL, [("t2v", request)] * 3)
    queue.claim([failed])
    queue.fail(failed, ExecutionError(f"failed {ALL}", f"hint {ALL}"))
    queue.claim([done])
    queue.finish(
        done,
        NewTake(
            done, done, LOCAL, ALL, 1.0, f"d/{ALL[:20].replace('/', '')}".replace("\0", ""), 1, ALL, {"params": {}}, {}
        ),
    )
    assert waits
    history.tag(done, LOCAL, [NASTY["title"], NASTY["bidi"]])
    return shell, failed, done


LISTINGS = [
    ["jobs", "list"],
    ["jobs", "show", "{job}"],
    ["jobs", "retry", "{job}"],
    ["jobs", "cancel", "{job}"],
    ["jobs", "show", ALL.replace("\0", "")],
    ["jobs", "move", "{job}", "1"],
    ["takes", "list"],
    ["takes", "list", "--mode", ALL.replace("\0", "")],
    ["takes", "favourite", "{take}"],
    ["takes", "tag", "{take}", NASTY["escape"], NASTY["C1"]],
    ["takes", "delete", ALL.replace("\0", "")],
    ["doctor"],
    ["generate", "t2v", "--prompt", ALL.replace("\0", ""), "--seconds", "x\x1b[2J"],
    ["generate", f"t\x1b[2J{NASTY['bidi']}"],
    ["generate", "--from", f"a{NASTY['escape']}{NASTY['bidi']}.mp4"],
    ["generate", "i2v", "--prompt", "x", "--image", f"a{NASTY['title']}.png"],
    ["recipe", f"a{NASTY['escape']}.mp4"],
    ["recipe", "nodes", f"a{NASTY['escape']}"],
    ["models", "verify", f"a{NASTY['escape']}{NASTY['zero width']}"],
    ["workflow", "form", f"a{NASTY['escape']}.json"],
    ["workflow", "check", f"a{NASTY['C1']}.json"],
    ["fly\x1b[2J\u202e"],
    ["jobs", "--a\x1b[2J\u202e"],
]


@pytest.mark.parametrize(
    "command", LISTINGS, ids=lambda command: " ".join(command[:2]).encode("unicode_escape").decode()
)
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_no_command_passes_on_what_controls_a_terminal(
    nasty: tuple[Shell, str, str], command: list[str], as_json: bool
) -> None:
    shell, job, take = nasty
    command = [part.format(job=job, take=take) if part in ("{job}", "{take}") else part for part in command]

    _, out, err = shell(*command, *(["--json"] if as_json else []))

    assert controls(out + err) == []
    assert "0123456789ab  fake line" not in {line.strip() for line in (out + err).splitlines()}, "no line is forged"
    assert out + err


def test_json_says_the_very_same(nasty: tuple[Shell, str, str]) -> None:
    shell, job, take = nasty

    assert shell.json("jobs", "show", job)["spec"]["params"] == {"prompt": ALL, ALL: ALL}
    assert shell.json("jobs", "show", job)["error"]["message"] == f"failed {ALL}"
    (found,) = shell.json("takes", "list")
    assert (found["take"], found["prompt"], found["mode"]) == (take, ALL, ALL)


@pytest.mark.parametrize("text", [*NASTY.values(), "\ud800 alone", "é😀 ok", 'a"\\b'])
def test_escaped_json_reads_the_same_and_shows_nothing(text: str) -> None:
    for indent in (None, 1):
        told = json_text({text: [text]}, indent=indent)
        assert json.loads(told) == {text: [text]}
        assert controls(told) == []
    assert escaped("é😀") == "é😀", "what can be shown is shown"


def test_a_line_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    echo("a\nb", "c")

    assert capsys.readouterr().out == "a b\nc\n"


def test_the_workflow_commands_do_neither(terminal: Terminal, tmp_path: Path) -> None:
    graph = {"1": {"class_type": "RandomNoise", "inputs": {"noise_seed": 4}, "_meta": {"title": ALL}}}
    file = tmp_path / f"w{NASTY['escape']}{NASTY['bidi']}.json"
    file.write_text(json.dumps(graph))

    for command in (["form", str(file)], ["form", str(file), "--json"], ["check", str(file)], ["convert", str(file)]):
        rc = 2 if command[0] == "check" else 0
        assert controls(terminal("workflow", *command, rc=rc) + terminal.err) == []
    assert json.loads(terminal("workflow", "convert", str(file)))["1"]["_meta"]["title"] == ALL
    out = tmp_path / "out.json"
    terminal("workflow", "convert", str(file), "--out", str(out))
    assert json.loads(out.read_text())["1"]["_meta"]["title"] == ALL


def test_a_recipe_does_neither(shell: Shell, tmp_path: Path) -> None:
    recipe = {
        "mode": "t2v",
        "preset": ALL,
        "params": {"prompt": ALL, ALL: [ALL]},
        "graph": {},
        "models": {ALL: {"size": 1, "sha256": ALL}},
    }
    recipe |= {"inputs": {ALL: ALL}, "versions": {ALL: ALL}}
    video = tmp_path / "clip.mp4"
    with av.open(video, "w", format="mp4", options={"movflags": "use_metadata_tags"}) as made:
        made.metadata[RECIPE_TAG] = json.dumps(recipe)
        stream = made.add_stream("mpeg4", rate=8)
        stream.width = stream.height = 64
        made.mux(stream.encode(av.VideoFrame(64, 64)))
        made.mux(stream.encode())

    for options in ([], ["--json"]):
        code, out, err = shell("recipe", "show", str(video), *options)
        assert code == 0, err
        assert controls(out + err) == []
        assert "owned" in out


def jobs(*states: Progress | Queued | Failed) -> Iterator[Job]:
    for state in states:
        yield Job("a", LOCAL, "t2v", {}, 1.0, Running(1.0, state) if isinstance(state, Progress) else state)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_shows_stages_as_they_are_called(monkeypatch: pytest.MonkeyPatch, is_terminal: bool) -> None:
    """A workflow's titles are its author's: no markup, no link, no escape of theirs."""
    told = io.StringIO()
    monkeypatch.setattr(
        progress,
        "Console",
        lambda **named: Console(file=told, force_terminal=is_terminal, width=300, color_system=None),
    )
    phase = f"Sampling {NASTY['markup']}{NASTY['title']}{NASTY['bidi']}"

    progress.show(
        jobs(Queued(0), Progress(phase, 1, 2, 0, 1), Progress(phase, 2, 2, 0, 1), Failed(1.0, ExecutionError("x", "y")))
    )

    said = told.getvalue()
    assert "Sampling [red]x[/red][link=http://evil.test]" in said
    assert "\x1b]" not in said
    assert "\x07" not in said
    assert "\u202e" not in said


def test_downloads_show_notes_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    monkeypatch.setattr(downloads, "Console", lambda **named: Console(file=told, width=300))
    note = f"retrying {NASTY['markup']}{NASTY['title']}{NASTY['bidi']}"
    events: list[Event] = [
        Waiting("hub", note=note),
        Fetching(f"loras/{note}", "retrying", 1, 2, 1, 2, note),
        Finished((), 0.0),
    ]

    downloads.show_downloads(iter(events), quiet=False)

    assert controls(told.getvalue()) == []
    assert told.getvalue().count("[red]x[/red]") == 3


def test_rich_gets_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()

    print_line(Console(file=told, width=20), f"{NASTY['markup']} :smile: {'x' * 40}\x1b[2J")

    assert told.getvalue() == f"{NASTY['markup']} :smile: {'x' * 40} [2J\n"
    assert escape(NASTY["markup"]) not in told.getvalue()


def test_no_command_writes_but_through_output() -> None:
    """A new `click.echo` or `print` would pass on whatever it is given."""
    guilty = []
    for path in sorted((ROOT / "ltx_studio" / "cli").glob("*.py")):
        if path.name == "output.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("click.echo", "click.secho", "click.style", "print", "json.dumps", "sys.stdout.write") or (
                called.endswith("console.print")
            ):
                guilty.append(f"{path.name}:{node.lineno} {called}")  # type: ignore[attr-defined]

    assert guilty == []
