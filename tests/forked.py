"""Commands of the studio in processes of their own, forked from one that has imported what they need.

A new Python imports for longer than most commands take. What reads variables of the environment when it is imported,
such as huggingface_hub, is not imported before the fork.
"""

import atexit
import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (
    "commands", "doctor", "generate", "jobs", "models", "modes", "recipe", "settings", "takes", "workflow",
)  # fmt: skip
LATE = ("huggingface_hub", "hf_xet", "torch", "gradio")
"""What must not be imported before the fork."""

_LENGTH_BYTES = 8


class Server:
    """The process that forks, seen from the one that runs the tests."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            program = f"from tests.forked import serve; serve({theirs.fileno()})"
            self._process = subprocess.Popen(
                [sys.executable, "-c", program], cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )

    def run(
        self, arguments: list[str], env: Mapping[str, str], cwd: Path, timeout: float
    ) -> "subprocess.CompletedProcess[str]":
        """Run `ltx-studio` with these arguments, as `subprocess.run` would."""
        os.umask(umask := os.umask(0o022))
        asked = json.dumps({"arguments": arguments, "env": dict(env), "cwd": str(cwd), "umask": umask}).encode()
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            header = len(asked).to_bytes(_LENGTH_BYTES, "big")
            socket.send_fds(self._control, [header], [stdout.fileno(), stderr.fileno()])
            self._control.sendall(asked)
            pid = self._answer()
            if not select.select([self._control], [], [], timeout)[0]:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(arguments, timeout)
            return subprocess.CompletedProcess(arguments, self._answer(), _text(stdout), _text(stderr))

    def _answer(self) -> int:
        told = self._control.recv(_LENGTH_BYTES, socket.MSG_WAITALL)
        assert len(told) == _LENGTH_BYTES, "the process that forks has ended"
        return int.from_bytes(told, "big", signed=True)

    def close(self) -> None:
        self._control.close()
        self._process.wait(60)


def _text(file: Any) -> str:
    file.seek(0)
    return cast(str, file.read().decode().replace("\r\n", "\n"))


_servers: list[Server] = []


def run_forked(
    arguments: list[str], env: Mapping[str, str], cwd: Path | None = None, timeout: float = 200
) -> "subprocess.CompletedProcess[str]":
    """Run `ltx-studio` in a process of its own."""
    if not _servers:
        _servers.append(Server())
        atexit.register(_servers[0].close)
    try:
        return _servers[0].run(arguments, env, cwd or Path.cwd(), timeout)
    except BaseException:  # what it answers later would be taken for the answer to the next command
        atexit.unregister(_servers[0].close)
        _servers.pop().close()
        raise


def serve(control_number: int) -> None:
    """Fork a process for each command that is asked for. The main function of the process that forks."""
    for name in COMMANDS:
        import_module(f"ltx_studio.cli.{name}")
    assert not set(LATE) & set(sys.modules)
    gc.collect()
    gc.freeze()
    control = socket.socket(fileno=control_number)
    while True:
        header, numbers, _, _ = socket.recv_fds(control, _LENGTH_BYTES, 2)
        if not header:
            return
        asked = json.loads(control.recv(int.from_bytes(header, "big"), socket.MSG_WAITALL))
        child = os.fork()
        if not child:
            control.close()
            _become(asked, numbers)
        for number in numbers:
            os.close(number)
        control.sendall(child.to_bytes(_LENGTH_BYTES, "big"))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with contextlib.suppress(OSError):
            control.sendall(code.to_bytes(_LENGTH_BYTES, "big", signed=True))


def _become(asked: dict[str, Any], numbers: list[int]) -> None:
    """Run a command in this process, which has just been forked, and exit."""
    for target, number in enumerate(numbers, 1):
        os.dup2(number, target)
        os.close(number)
    os.chdir(asked["cwd"])
    os.umask(asked["umask"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.argv = ["ltx-studio", *asked["arguments"]]
    from ltx_studio.cli import main

    main()
    sys.exit()
