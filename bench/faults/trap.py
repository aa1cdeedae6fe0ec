"""Run a command of the studio with a fault at a chosen place.

``python -m bench.faults.trap kill|fill PLACE before|after NUMBER -- COMMAND …``: at the given call of a function
(``module:Class.method``), kill the process, or fill the disk of the studio's home with a file named ``filler``.
"""

import contextlib
import functools
import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ltx_studio.settings import get_settings

_BLOCK = b"\0" * (1 << 20)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fill() -> None:
    fill_with(get_settings().home / "filler")


def fill_with(filler: Path) -> None:
    """Write a file until no space is left, down to the last bytes."""
    with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
        for size in (len(_BLOCK), 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(_BLOCK[:size])


FAULTS: dict[str, Callable[[], None]] = {"kill": kill, "fill": fill}


def set_trap(fault: Callable[[], None], place: str, when: str, number: int) -> None:
    """Wrap a function so that its `number`-th call has the fault before or after it."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    real = getattr(owner, name)
    calls = 0

    @functools.wraps(real)
    def trapped(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if when == "before" and calls == number:
            fault()
        result = real(*given, **named)
        if when == "after" and calls == number:
            fault()
        return result

    setattr(owner, name, trapped)


def main() -> None:
    fault, place, when, number, _, *command = sys.argv[1:]
    set_trap(FAULTS[fault], place, when, int(number))
    from ltx_studio.cli import commands

    commands.main(command)


if __name__ == "__main__":
    main()
