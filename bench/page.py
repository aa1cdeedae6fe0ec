"""How long the page takes against Gradio's smallest: from the process's start, and from the address to the button.

make bench
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser

from ltx_studio.engine import comfyui
from ltx_studio.settings import LOOPBACK, get_settings
from tools import browser

PAIRS = 3
MOST_TIMES, MOST_MORE = 1.3, 1.5
"""Limits: the start, as a multiple of the smallest page's; the time to the button, in seconds more."""

HELLO = f"""
import threading
import gradio as gr
with gr.Blocks() as page:
    name = gr.Textbox(label="Name")
    gr.Button("Generate").click(lambda name: "Hello " + name, name, name)
page.launch(server_name="{LOOPBACK}", quiet=True, prevent_thread_lock=True, ssr_mode=False)
print("The page is at", page.local_url, flush=True)
threading.Event().wait()
"""
CAN_BE_CLICKED = """() => {
  const button = [...document.querySelectorAll("button")].find(
    (each) => each.textContent.trim() === "Generate" && each.offsetParent !== null,
  );
  if (!button || button.disabled) return (window.stoodAt = null);
  const { x, y, width, height } = button.getBoundingClientRect();
  const place = [x, y, width, height].join();
  const [stood, hit] = [window.stoodAt === place, document.elementFromPoint(x + width / 2, y + height / 2)];
  window.stoodAt = place;
  return stood && (button === hit || button.contains(hit));
}"""
"""JavaScript, per frame: whether a click would reach the button, and it has not moved since the last frame."""

STUDIO = [sys.executable, "-m", "ltx_studio", "serve"]


@dataclass(frozen=True, slots=True)
class Opening:
    """Seconds: until the server answers, processor time of its process until then, from there to the button,
    and from the address to the button once ComfyUI is ready, in a browser without a cache."""

    server: float
    processor: float
    button: float
    later: float

    @property
    def in_all(self) -> float:
        """Return the seconds from the process's start to the button."""
        return self.server + self.button


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch, browser.start() as chromium:
        found: dict[str, list[Opening]] = {"hello": [], "studio": []}
        commands = {"hello": [sys.executable, "-c", HELLO], "studio": STUDIO}
        for pair in range(PAIRS + 1):
            for name in sorted(commands, reverse=pair % 2 == 1):
                took = opened(commands[name], Path(scratch) / f"{name}-{pair}", chromium)
                if pair:  # the first pair loads the files into memory
                    found[name].append(took)
        report(found["studio"], found["hello"])


def report(studio: list[Opening], hello: list[Opening]) -> None:
    """Print medians, and each pair's ratio and difference, which other load on the machine affects less."""
    looks: dict[str, Callable[[Opening], float]] = {
        "until the server answers": lambda each: each.server,
        "of the processor for that": lambda each: each.processor,
        "then until Generate can be clicked": lambda each: each.button,
        "from the process's start, in all": lambda each: each.in_all,
        "address to button, later on": lambda each: each.later,
    }
    for what, of in looks.items():
        ours, theirs = ([of(each) for each in some] for some in (studio, hello))
        times = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        more = statistics.median(a - b for a, b in zip(ours, theirs, strict=True))
        print(
            f"{what:<36} {statistics.median(ours):6.2f} s, smallest page {statistics.median(theirs):6.2f} s: "
            f"×{times:.2f}, {more:+.2f} s",
            flush=True,
        )
    start = statistics.median(a.in_all / b.in_all for a, b in zip(studio, hello, strict=True))
    more = statistics.median(max(a.button - b.button, a.later - b.later) for a, b in zip(studio, hello, strict=True))
    print(f"start ×{start:.2f} {verdict(start <= MOST_TIMES)} (at most ×{MOST_TIMES})")
    print(f"way to the button {more:+.2f} s {verdict(more <= MOST_MORE)} (at most +{MOST_MORE} s)", flush=True)


def verdict(good: bool) -> str:
    return "good" if good else "TOO SLOW"


def opened(command: list[str], home: Path, chromium: Browser) -> Opening:
    began = time.perf_counter()
    with serving(command, home) as (url, process):
        answers = time.perf_counter()
        used = psutil.Process(process.pid).cpu_times()
        button = to_button(chromium, url)
        if command is STUDIO:
            wait_for_comfyui(home)
        later = to_button(chromium, url)
        return Opening(answers - began, used.user + used.system, button, later)


@contextmanager
def serving(command: list[str], home: Path) -> "Iterator[tuple[str, subprocess.Popen[str]]]":
    """Start a server; yield its address, as soon as it prints it, and its process."""
    ours = {"LTX_STUDIO_HOME": str(home), "LTX_STUDIO_COMFY_DIR": str(comfyui.find(get_settings()).path)}
    environment = {**os.environ, **ours, "GRADIO_TEMP_DIR": str(home / "gradio"), "GRADIO_ANALYTICS_ENABLED": "False"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().split()
        if len(line) < 5:
            raise SystemExit(f"no page: {command}")
        yield line[4], process
    finally:
        process.kill()
        process.wait()


def to_button(chromium: Browser, url: str) -> float:
    """Return the seconds from the address until Generate can be clicked, in a new profile without a cache.

    It checks in each frame: Playwright's own wait for a button checks twice a second after its first half second.
    """
    context = chromium.new_context()
    try:
        page = context.new_page()
        began = time.perf_counter()
        page.goto(url, wait_until="commit", timeout=120_000)
        page.wait_for_function(CAN_BE_CLICKED, polling="raf", timeout=120_000)
        took = time.perf_counter() - began
        page.get_by_role("button", name="Generate", exact=True).click(trial=True, timeout=10_000)
        return took
    finally:
        context.close()


def wait_for_comfyui(home: Path) -> None:
    """Wait until ComfyUI has reported its nodes, at the end of its start."""
    until = time.monotonic() + 120
    while time.monotonic() < until and not list(home.glob("comfyui/node-definitions-*.json")):
        time.sleep(0.2)


if __name__ == "__main__":
    main()
