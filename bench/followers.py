"""Measure what each client that follows a run costs the server.

python -m bench.followers
"""

import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.cluster import REPORTS, home_at, pocket
from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Memory
from ltx_studio.errors import StudioError
from ltx_studio.events import Cancelled, Event, PhaseStarted, Prepared, Step
from ltx_studio.queue import LOCAL, JobSpec
from ltx_studio.runners.protocol import Buildable
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web.server import build_app


class Stepping:
    """Implements `Runner`: runs that take a step four times a second until they are stopped."""

    def __init__(self, settings: Settings | None = None) -> None:
        pass

    def problem(self) -> StudioError | None:
        return None

    def start(self) -> None:
        pass

    def cost(self, spec: Buildable) -> None:
        pass

    def run(self, spec: Buildable, cancel: CancelToken, *, job_id: str | None = None) -> Iterator[Event]:  # noqa: ARG002
        yield Prepared({})
        yield PhaseStarted("stage1", "Stage 1", 0, 1)
        for step in itertools.count(1):
            if cancel.wait(1 / REPORTS):
                break
            yield Step("stage1", step, 10_000)
        yield Cancelled()

    def memory(self) -> Memory | None:
        return None

    def failed(self) -> bool:
        return False

    def unload(self) -> tuple[Memory, Memory] | None:
        return None

    def close(self, timeout: float) -> bool:  # noqa: ARG002
        return True


FOLLOW = """
import os, sys, threading
from gradio_client import Client
client = Client(sys.argv[1], verbose=False)
following = [client.submit(sys.argv[2], api_name="/follow") for _ in range(int(sys.argv[3]))]
told = [0]
def read(each):
    for _ in each:
        told[0] += 1
for each in following:
    threading.Thread(target=read, args=(each,), daemon=True).start()
print("ready", flush=True)
sys.stdin.readline()
print(told[0], flush=True)
os._exit(0)
"""


def main(count: int = 20, seconds: float = 10.0) -> None:
    """Follow a run with clients of the API; print what each costs the server."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        settings = home_at(Path(scratch) / "home")
        studio = Studio(settings, Stepping())
        blocks = build_app(settings, studio=studio)
        blocks.owners.at_home = True
        blocks.launch(quiet=True, prevent_thread_lock=True, ssr_mode=False)
        spec = JobSpec.from_request("t2v", {"prompt": "a red ball", "seed": 1}, pocket(settings), "fast")
        (job,) = studio.jobs.submit(LOCAL, [spec])
        studio.work()
        alone = used_in(seconds)
        command = [sys.executable, "-c", FOLLOW, str(blocks.local_url), job, str(count)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as clients:
            assert clients.stdin is not None
            assert clients.stdout is not None
            assert clients.stdout.readline().strip() == "ready"
            time.sleep(2)
            used = used_in(seconds)
            told, _ = clients.communicate("\n", timeout=30)
        studio.close()
        blocks.close(verbose=False)
    each = (used - alone) * 1000 / count
    print(
        f"{count} clients got {told.strip()} updates; the server used {alone:.1%} of a core alone, {used:.1%} with them"
    )
    print(f"each follower {each:.1f} ms a second")


def used_in(seconds: float) -> float:
    """Return the fraction of a core that this process uses in the next seconds."""
    began = time.process_time()
    time.sleep(seconds)
    return (time.process_time() - began) / seconds


if __name__ == "__main__":
    main()
