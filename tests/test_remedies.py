"""For every refusal in the package: the remedy that it names is there (command, option, variable, button, field).

Texts are read from the source, so that no refusal is forgotten: whatever stands in backticks, is an option, a variable
of the environment, or a name of something on the page.
"""

import ast
import builtins
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import click
import gradio_client
import huggingface_hub.constants

from ltx_studio.cli import hints as cli_hints
from ltx_studio.cli.commands import cli
from ltx_studio.families.ltx_2_3 import PRESETS
from ltx_studio.modes import MODES
from ltx_studio.web import hints as web_hints
from ltx_studio.web import words
from ltx_studio.web.panels import texts
from tests.rows import check_rows

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ltx_studio"
HOLE = "⬚"
"""Stands for what a text is filled in with."""

PROPER = {
    "ComfyUI", "ComfyUI's", "CtrlC", "Ctrl", "C", "B", "Export", "File", "Save", "API", "PNG", "JPEG", "WebP", "WAV",
    "MP3", "FLAC", "OGG", "M4A", "MP4", "MOV", "WebM", "UTF-8", "MB", "Unicode", "Python", "JSON", "LoRA", "VAE", "ID",
    "IC-LoRA", "Canny", "MiB", "GB", "OSError", "SHA-256", "CPU", "GPU", "CUDA", "RAM", "SafeTensors", "GIF", "HEIC",
    "AVIF", "InvokeAI", "N8N", "Content-Length", "K", "HTTP", "LTX-2", "I", "Video", "Create", "SQLite", "HDR", "ASCII",
    "CSV", "Excel", "Hugging", "Face", "BT.709",
}  # fmt: skip
"""Words with capitals that name nothing of ours."""


def texts_of(node: ast.AST | None) -> Iterator[str]:
    """Every way in which an expression can read, as far as it is written there."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in values)
        case ast.BinOp(left=left, right=right):
            yield "".join([*list(texts_of(left))[:1], *list(texts_of(right))[:1]])
        case ast.IfExp(body=body, orelse=orelse):
            yield from texts_of(body)
            yield from texts_of(orelse)
        case ast.BoolOp(values=values):
            for value in values:
                yield from texts_of(value)


@lru_cache(maxsize=1)
def sources() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def name_of(call: ast.Call) -> str:
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


@lru_cache(maxsize=1)
def hints() -> dict[str, str]:
    """Where it is → the remedy of every refusal that is written in place."""
    found: dict[str, str] = {}
    for path, tree in sources().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            is_error = name_of(node).endswith("Error") and not hasattr(builtins, name_of(node))
            place = 1 if is_error else 2 if name_of(node) == "Limit" else None
            if place is None or len(node.args) <= place:
                continue
            for number, text in enumerate(texts_of(node.args[place])):
                found[f"{path.relative_to(ROOT)}:{node.lineno}/{number}"] = text
    for name, text in (vars(words) | vars(texts)).items():
        if isinstance(text, str) and name.endswith(("_HINT", "_IT", "RELOAD", "DROP_ONE")):
            found[f"words.{name}"] = text
    for table in (cli_hints, web_hints):
        for do, text in table.WORDS.items():
            found[f"{table.__name__}.{do}"] = re.sub(r"\{\w+(!\w)?\}", HOLE, text)
    return found


@lru_cache(maxsize=1)
def told() -> dict[str, str]:
    """Every text of the package but the docstrings; they may become part of a refusal."""
    found = {}
    for path, tree in sources().items():
        nodes = list(ast.walk(tree))
        left_out = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}  # documentation
        left_out |= {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in nodes:
            if id(node) in left_out or not isinstance(node, ast.Constant | ast.JoinedStr):
                continue
            for text in texts_of(node):
                found[f"{path.relative_to(ROOT)}:{node.lineno}:{node.col_offset}"] = text
    return found


@lru_cache(maxsize=1)
def spans() -> list[tuple[str, str]]:
    """(where, what stands in backticks) of every text; patterns, which mean something else by them, are left out."""
    said = {where: text for where, text in {**told(), **hints()}.items() if "[^" not in text}
    return sorted({(where, span) for where, text in said.items() for span in re.findall(r"`([^`]+)`", text)})


def command_of(parts: list[str]) -> tuple[click.Command, list[str]]:
    """The command that a line names, and the rest of the line."""
    command: click.Command = cli
    context = click.Context(cli)
    while parts and isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z-]*", parts[0]):
        inner = command.get_command(context, parts[0])
        assert inner is not None, f"there is no command {parts[0]!r}"
        command, parts = inner, parts[1:]
    return command, parts


def options_of(command: click.Command) -> set[str]:
    return {name for param in command.get_params(click.Context(command)) for name in (*param.opts, "--help")}


@lru_cache(maxsize=1)
def every_option() -> set[str]:
    found: set[str] = set()
    waiting: list[click.Command] = [cli]
    while waiting:
        command = waiting.pop()
        found |= options_of(command)
        if isinstance(command, click.Group):
            context = click.Context(command)
            waiting += [
                inner for name in command.list_commands(context) if (inner := command.get_command(context, name))
            ]
    return found


def check_line(line: str) -> None:
    """A line for the shell names a command that there is, with options that it takes."""
    parts = [part.rstrip(",") for part in shlex.split(line.replace("…", HOLE))]
    if parts[0] == "ltx-studio":
        parts = parts[1:]
    command, rest = command_of(parts)
    known = options_of(command)
    for part in rest:
        if part.startswith("-"):
            assert part.partition("=")[0] in known, f"{command.name} has no option {part}"


def check_span(span: str) -> None:
    span = re.sub(r"\{\w+(!\w)?\}", HOLE, span)
    first = span.split(maxsplit=1)[0]
    if first in {"ltx-studio", *cli.list_commands(click.Context(cli))}:
        check_line(span)
    elif first == HOLE:
        assert set(span.split()[1:]) <= every_option()
    elif first.startswith("--"):
        assert first.partition("=")[0] in every_option(), f"no command has an option {first}"
    elif first.startswith("./"):
        assert (ROOT / first).is_file()
    elif first.startswith(("gradio_client.", "client.")):
        name = re.sub(r"\(.*?\)", "", first).split(".")[-1]
        assert hasattr(gradio_client, name) or hasattr(gradio_client.Client, name)
    elif extra := re.fullmatch(r"pip install 'ltx-studio\[(\w+)\]'", span):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert extra[1] in project["optional-dependencies"]
    else:
        assert span in {"custom_nodes", "mode", "ray status"}, f"what is {span!r}?"


def test_what_stands_in_backticks_is_there() -> None:
    check_rows(spans(), lambda row: check_span(row[1]), " ".join)


def test_an_option_outside_of_backticks_is_there() -> None:
    def check(where: str) -> None:
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", hints()[where]):
            assert option in every_option()

    check_rows(sorted(hints()), check)


def test_a_variable_is_one_that_is_read() -> None:
    def check(where: str) -> None:
        for name in re.findall(r"\b(?:LTX_STUDIO|HF)_[A-Z_]+\b", hints()[where]):
            assert name in variables(), name

    check_rows(sorted(hints()), check)


@lru_cache(maxsize=1)
def variables() -> set[str]:
    """What the studio reads itself, and what the library that fetches models does."""
    code = [*PACKAGE.rglob("*.py"), *Path(huggingface_hub.constants.__file__).parent.rglob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in code)
    return set(re.findall(r"[\"']([A-Z]+_[A-Z_]+)[\"']", text))


@lru_cache(maxsize=1)
def labels() -> set[str]:
    """The words with which something on the page, or a preset, begins."""
    shown = [text for text in (vars(words) | vars(texts)).values() if isinstance(text, str)]
    names = [*shown, *(mode.label for mode in MODES.values()), *(preset.label for preset in PRESETS.values())]
    return {word.strip(".,:;“”") for name in names if len(name) < 60 for word in name.split()[:1]}


def test_a_name_with_a_capital_is_on_the_page() -> None:
    def check(where: str) -> None:
        text = re.sub(r"`[^`]*`|“[^”]*”|'[^']*'|\[[^\]]*\]|https?:\S+|\S*_\S*|\S*/\S*", "", hints()[where])
        for sentence in re.split(r"(?<=[.!?:])\s+|\(", text):
            for word in sentence.split()[1:]:
                bare = word.strip(".,:;()")
                if bare[:1].isupper() and HOLE not in bare and bare not in PROPER:
                    assert bare in labels(), f"{bare!r} of {hints()[where]!r} is not on the page"

    check_rows(sorted(hints()), check)


def test_what_a_remedy_quotes_is_on_the_page() -> None:
    shown = [text for text in (vars(words) | vars(texts)).values() if isinstance(text, str)]

    def check(where: str) -> None:
        for name in re.findall(r"“([^”]+)”", hints()[where]):
            assert any(text.startswith(name) for text in shown), name

    check_rows(sorted(hints()), check)


def test_a_remedy_says_something() -> None:
    def check(where: str) -> None:
        assert len(hints()[where].strip()) >= 5 or HOLE in hints()[where]
        assert "  " not in hints()[where]

    check_rows(sorted(hints()), check)


def test_the_refusals_are_found() -> None:
    assert len(hints()) > 250
    assert len(spans()) > 40
