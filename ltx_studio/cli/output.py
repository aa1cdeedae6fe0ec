"""Write to the terminal, without control characters from users, files and servers.

An escape sequence in a prompt, a tag, a file name or an error could move the cursor, set the title or hide earlier
output; a bidirectional override could make a name read as another. Text is printed with a space in place of each;
JSON with an escape, so that scripts read the same value.
"""

import json
import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

import click

from ltx_studio.text.formatting import printable

if TYPE_CHECKING:
    from rich.console import Console

_NOT_SHOWN = re.compile(r"[^ -~]")


def echo(*lines: object, err: bool = False, file: TextIO | None = None) -> None:
    """Write lines. A line break within one becomes a space, so that no prompt looks like the studio's own output."""
    for line in lines:
        click.echo(_encodable(printable(str(line)), file or (sys.stderr if err else sys.stdout)), err=err, file=file)


def secho(line: object, *, err: bool = False, nl: bool = True, **style: Any) -> None:
    """Write a line, styled if the output is a terminal."""
    click.secho(printable(str(line)), err=err, nl=nl, **style)


def print_line(console: "Console", line: str) -> None:
    """Write a line next to rich's bars, without markup, emoji or wrapping."""
    console.print(printable(line), markup=False, emoji=False, highlight=False, soft_wrap=True)


def json_text(value: object, *, indent: int | None = None) -> str:
    """Return a value as JSON that a terminal can show."""
    return escaped(json.dumps(value, ensure_ascii=False, indent=indent))


def moment(seconds: float) -> str:
    """Format a time, in seconds since the epoch, in this machine's time zone."""
    try:
        return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):  # a row that somebody edited by hand
        return "????-??-?? ??:??"


def escaped(text: str) -> str:
    """Return JSON with control characters escaped; it parses to the same value."""
    return _NOT_SHOWN.sub(lambda found: _escape(found.group()), text)


def echo_json(value: object, *, indent: int | None = None, err: bool = False) -> None:
    """Write a value as JSON for scripts."""
    text = json_text(value, indent=indent)
    stream = sys.stderr if err else sys.stdout
    click.echo(text if _can_encode(text, stream) else json.dumps(value, indent=indent), err=err)


def _encodable(text: str, stream: TextIO) -> str:
    """Return text with escapes for characters that the output's encoding lacks."""
    return text if _can_encode(text, stream) else text.encode(stream.encoding, errors="backslashreplace").decode()


def _can_encode(text: str, stream: TextIO) -> bool:
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _escape(letter: str) -> str:
    return letter if letter.isprintable() or letter == "\n" else json.dumps(letter)[1:-1]
