"""Files named on the command line: no command overwrites one of its inputs."""

import filecmp
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from ltx_studio.errors import RequestError

_WRITTEN = ("out", "preview_control", "workflow")
"""Options that name a file to write."""


def check_apart(destination: Path, inputs: Iterable[Path], option: str = "--out") -> None:
    """Refuse a destination that is an input, including through links, in another spelling, or as a copy of it.

    Args:
        destination: The path to write to.
        inputs: Files of the request. Those that the running command names are added.
        option: The option that names the destination.

    Raises:
        RequestError: The destination is one of the inputs.
    """
    for path in [*inputs, *_named()]:
        if _is_same(destination, path):
            raise RequestError(
                f"{option} would overwrite {destination}, which is an input of this request.",
                f"Choose another file for {option}.",
            )


def _named() -> Iterator[Path]:
    """Yield every file that the options of the running command name as an input."""
    context = click.get_current_context(silent=True)
    for name, value in context.params.items() if context is not None else ():
        if name not in _WRITTEN:
            yield from _paths(value)


def _paths(value: Any) -> Iterator[Path]:
    match value:
        case Path():
            yield value
        case dict():
            yield from _paths(list(value.values()))
        case list() | tuple():
            for each in value:
                yield from _paths(each)


def _is_same(one: Path, other: Path) -> bool:
    try:
        one, other = one.expanduser(), other.expanduser()
        if one.resolve() == other.resolve():
            return True
        if not one.is_file() or not other.is_file():
            return False
        return one.samefile(other) or (
            one.stat().st_size == other.stat().st_size > 0 and filecmp.cmp(one, other, shallow=False)
        )
    except (OSError, RuntimeError, ValueError):  # a loop of links, or no path: reported where it is used
        return False
