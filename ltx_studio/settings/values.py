"""Parse the values of settings. Each parser takes text, as variables have it, or a value as TOML has it."""

import contextlib
import math
import os
import re
from collections.abc import Iterator
from enum import StrEnum
from ipaddress import ip_address, ip_network
from pathlib import Path

from ltx_studio.text.catalogue import languages

LANGUAGES = languages()
NO_LIMIT, ALWAYS = "none", "always"

_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_LONGEST = 100


class Vram(StrEnum):
    """How eagerly models are kept on the device; ``auto`` leaves the choice to ComfyUI."""

    AUTO = "auto"
    GPU_ONLY = "gpu-only"
    HIGH = "high"
    LOW = "low"
    NONE = "none"
    CPU = "cpu"


class WrongValueError(ValueError):
    """An invalid value of a setting.

    Args:
        problem: What is wrong, as the end of a sentence that begins with the setting's name.
        hint: What is allowed.
    """

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem, self.hint = problem, hint


def text(value: object) -> str:
    """Return a name without surrounding spaces.

    Raises:
        WrongValueError: The value is not text.
    """
    if not isinstance(value, str):
        raise WrongValueError(f"is {_shown(value)}, which is not text.", "Write text in quotation marks.")
    return value.strip()


def folder(value: object) -> Path | None:
    """Return an absolute path, or None for an empty text.

    Raises:
        WrongValueError: The value is not text, or its ``~`` names no user.
    """
    path = text(value)
    try:
        return Path(path).expanduser().absolute() if path else None
    except RuntimeError:  # the user after ~ does not exist
        raise WrongValueError(f"is {path}, but there is no such user.", "Write the full path.") from None


def folders(value: object) -> tuple[Path, ...]:
    """Return the paths of a list, or of a text with the system's path separator.

    Raises:
        WrongValueError: The value is not a list of paths.
    """
    return tuple(filter(None, map(folder, _items(value, os.pathsep))))


def hosts(value: object) -> tuple[str, ...]:
    """Return host names as browsers send them: in lower case, names of other scripts in ASCII.

    Raises:
        WrongValueError: An item is not a host name.
    """
    return tuple(_hosts(value))


def networks(value: object) -> tuple[str, ...]:
    """Return addresses and networks.

    Raises:
        WrongValueError: An item is neither.
    """
    return tuple(_networks(value))


def tier(value: object) -> Vram:
    """Return a memory tier.

    Raises:
        WrongValueError: The tier does not exist.
    """
    try:
        return Vram(value.strip().lower() if isinstance(value, str) else "")
    except ValueError:
        raise WrongValueError(
            f"is {_shown(value)}, which is not a memory tier.", f"Set it to one of: {', '.join(Vram)}."
        ) from None


def gigabytes(value: object) -> float | None:
    """Return a number of gigabytes, or None for no limit.

    Raises:
        WrongValueError: The value is neither.
    """
    return _number(value, NO_LIMIT, f"Set it to a number of gigabytes, 0 or more, or to {NO_LIMIT}.")


def minutes(value: object) -> float | None:
    """Return a number of minutes, or None for always.

    Raises:
        WrongValueError: The value is neither.
    """
    return _number(value, ALWAYS, f"Set it to a number of minutes, 0 or more, or to {ALWAYS}.")


def language_code(value: object) -> str:
    """Return the code of a supported language.

    Raises:
        WrongValueError: The language is not supported.
    """
    if value not in LANGUAGES:
        raise WrongValueError(
            f"is {_shown(value)}, which is not supported.", f"Set it to one of: {', '.join(LANGUAGES)}."
        )
    return str(value)


def _number(value: object, word: str, hint: str) -> float | None:
    if isinstance(value, str) and value.strip().lower() == word:
        return None
    number = math.nan
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        with contextlib.suppress(ValueError, OverflowError):
            number = float(value)
    if not math.isfinite(number) or number < 0:
        raise WrongValueError(f"is {_shown(value)}.", hint)
    return number


def _items(value: object, separator: str) -> Iterator[str]:
    """Yield the items of a list, or of a text with separators."""
    if isinstance(value, str):
        yield from filter(None, map(str.strip, value.split(separator)))
        return
    if not isinstance(value, list | tuple):
        raise WrongValueError(f"is {_shown(value)}, which is not a list.", 'Write a list such as ["one", "two"].')
    for item in value:
        if not isinstance(item, str):
            raise WrongValueError(
                f"contains {_shown(item)}, which is not text.", 'Write a list such as ["one", "two"].'
            )
        if item.strip():
            yield item.strip()


def _hosts(value: object) -> Iterator[str]:
    for name in _items(value, ","):
        host = _host(name)
        if host is None:
            raise WrongValueError(
                f"contains {_shown(name)}, which is not a host name.",
                "Use host names such as studio.example.org, without https:// and port, separated by commas.",
            )
        yield host


def _host(name: str) -> str | None:
    with contextlib.suppress(ValueError):
        return str(ip_address(name.strip("[]")))
    try:
        host = name.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return host if _HOST_NAME.fullmatch(host) else None


def _networks(value: object) -> Iterator[str]:
    for name in _items(value, ","):
        try:
            network = ip_network(name, strict=False)
        except ValueError:
            raise WrongValueError(
                f"contains {_shown(name)}, which is not an IP address or network.",
                "Use addresses or networks such as 10.0.0.7 or 10.0.0.0/8, separated by commas.",
            ) from None
        yield str(network)


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
