"""Measure the memory of a long-running server: 120 runs of all modes, then 1,000 sessions of the API.

make soak              (RUNS=120 and SESSIONS=1000 by default)
"""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
from gradio_client import Client, handle_file

from bench.faults.home import REQUEST, Home
from ltx_studio.modes import MODES
from ltx_studio.modes.examples import FILES as EXAMPLES
from ltx_studio.settings import LOOPBACK

RUNS = int(os.environ.get("RUNS", "120"))
SESSIONS = int(os.environ.get("SESSIONS", "1000"))
PORT = 7955
URL = f"http://{LOOPBACK}:{PORT}/"
WARM_RUNS = min(20, RUNS // 2)
MOST_GROWTH, MOST_SESSION_BYTES = 0.03, 50 << 20
PRESETS = ("draft", "draft", "draft", "fast")
MEBIBYTE = 1 << 20


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="studio-soak-") as scratch, served(Home.make(Path(scratch))) as server:
        memory = list(runs(server))
        before = memory_of(server)
        for _ in range(SESSIONS):
            session()
        grown = memory_of(server) - before
    warm, end = memory[max(0, WARM_RUNS - 6) : WARM_RUNS + 6], memory[-12:]
    growth = statistics.mean(end) / statistics.mean(warm) - 1
    print(f"{RUNS} runs: {mean(warm)} MiB around run {WARM_RUNS}, {mean(end)} MiB at the end, {growth:+.1%}")
    print(f"{SESSIONS} sessions: {grown / MEBIBYTE:+.1f} MiB")
    return 0 if growth <= MOST_GROWTH and grown <= MOST_SESSION_BYTES else 1


def mean(sizes: list[int]) -> int:
    return round(statistics.mean(sizes) / MEBIBYTE)


@contextlib.contextmanager
def served(home: Home) -> Iterator[psutil.Process]:
    """Serve the page of a home; yield the server's process."""
    command = [sys.executable, "-m", "ltx_studio", "serve", "--port", str(PORT)]
    with subprocess.Popen(command, env=home.environment(), stdout=subprocess.DEVNULL) as process:
        try:
            for _ in range(300):
                with contextlib.suppress(httpx.HTTPError):
                    httpx.get(URL, timeout=5)
                    break
                time.sleep(0.2)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


def runs(server: psutil.Process) -> Iterator[int]:
    """Render in every mode in turn; yield the server's memory in bytes after each run."""
    client = Client(URL, verbose=False)
    modes = list(MODES)
    for number in range(RUNS):
        mode = modes[number % len(modes)]
        files = {name: handle_file(EXAMPLES / file) for name, file in FILES[mode].items()}
        preset = PRESETS[number % len(PRESETS)]
        job = client.predict(**REQUEST, **files, seed=number, preset=preset, api_name=f"/{mode}")
        *_, ended = client.submit(job=job["id"], api_name="/follow")
        if ended["state"] != "done":
            raise SystemExit(f"run {number} ended {ended}")
        yield memory_of(server)


FILES: dict[str, dict[str, str]] = {
    "t2v": {},
    "a2v": {"audio": "beat.wav"},
    "i2v": {"image": "ball-left.png"},
    "lipsync": {"image": "face.png", "audio": "voice.wav"},
    "keyframe": {"first_image": "ball-left.png", "last_image": "ball-right.png"},
    "style": {"clip": "falls.mp4"},
}


def session() -> None:
    """Call the API as a new visitor that never disconnects, like `curl`."""
    asked = {"data": [10], "session_hash": uuid.uuid4().hex}
    answer = httpx.post(f"{URL}gradio_api/call/jobs", json=asked, timeout=60)
    answer.raise_for_status()
    httpx.get(f"{URL}gradio_api/call/jobs/{answer.json()['event_id']}", timeout=60).raise_for_status()


def memory_of(server: psutil.Process) -> int:
    """Return the bytes of the server's resident memory, without its children."""
    size: int = server.memory_info().rss
    return size


if __name__ == "__main__":
    sys.exit(main())
