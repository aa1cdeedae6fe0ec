"""Read and change `settings.toml`. A change keeps comments and the other keys."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltx_studio.errors import SetupError
from ltx_studio.fileio import whole
from ltx_studio.permissions import home_error, open_home

NAME = "settings.toml"
_BOM = "\ufeff"
"""The byte order mark that some editors put in front of UTF-8."""


def read(path: Path) -> str:
    """Return the file's text, empty if there is no file.

    Raises:
        SetupError: The file cannot be read, or is not UTF-8.
    """
    try:
        found = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):  # a problem with the home is reported where the home is written
        return ""
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read: {error.strerror or error}.", "Get permission to read it, or move it away."
        ) from error
    try:
        return found.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        line, column = _place(found[: error.start].decode("utf-8", errors="replace"))
        raise SetupError(f"{path} is not UTF-8: line {line}, column {column}.", "Save it as UTF-8.") from None


def parse(content: str, path: Path) -> dict[str, Any]:
    """Return the keys and values of the file's text.

    Raises:
        SetupError: The text is not TOML; names line and column.
    """
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        line, column = _place(content)
        problem = str(error).replace("at end of document", f"at line {line}, column {column}")
        raise SetupError(
            f"{path} is not valid TOML: {problem}.", 'Write one key = value per line, and text in "quotes".'
        ) from None


def changed(content: str, changes: Mapping[str, object]) -> str:
    """Return the text with new values for some keys; a key whose new value is None is removed."""
    import tomlkit  # slow to import, and only needed here

    document = tomlkit.parse(content)
    for key, value in changes.items():
        if value is not None:
            document[key] = value
        elif key in document:
            del document[key]
    return tomlkit.dumps(document)


def write(path: Path, content: str) -> None:
    """Replace the file, readable by its user alone; a link keeps pointing to it.

    Raises:
        SetupError: The file cannot be written; the old one is unchanged.
    """
    open_home(path.parent)
    try:
        with whole(path.resolve()) as partial:
            partial.touch(mode=0o600)
            partial.write_bytes(content.encode("utf-8"))
    except OSError as error:
        raise home_error(path.parent, error) from error


def _place(content: str) -> tuple[int, int]:
    """Return the line and column of the end of a text."""
    line = content.count("\n") + 1
    return line, len(content) - content.rfind("\n")
