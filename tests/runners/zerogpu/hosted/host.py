"""A studio on ZeroGPU in a process of its own: the platform's package, its fork, and the real engine on the CPU.

Only the GPU is not there. `torch` is hidden while `spaces` is imported, so that it leaves CUDA alone; the engine finds
no card and runs on the CPU. Commands come as JSON lines, and each is answered by one.
"""

import contextlib
import functools
import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.append(os.environ["SPACES_DIR"])
sys.modules["torch"] = None  # type: ignore[assignment]
import spaces  # noqa: E402
import spaces.zero.config  # noqa: E402

del sys.modules["torch"]

import gradio as gr  # noqa: E402
from gradio.context import LocalContext  # noqa: E402
from starlette.datastructures import Headers  # noqa: E402

from ltx_studio.cancel import CancelToken  # noqa: E402
from ltx_studio.events import Event, Finished, Preview, to_dict  # noqa: E402
from ltx_studio.logs import log_to_file  # noqa: E402
from ltx_studio.runners.zerogpu import gpu_process, quote, stream  # noqa: E402
from ltx_studio.settings import LOOPBACK, Settings  # noqa: E402
from ltx_studio.studio.space import is_zerogpu, open_on_zerogpu  # noqa: E402
from ltx_studio.studio.studio import Studio  # noqa: E402
from ltx_studio.web import build_app  # noqa: E402
from tests.support import small_spec  # noqa: E402

SHORT = 2
"""Seconds on the GPU that are too few."""

real_events = gpu_process._events


def events_with_faults(order: gpu_process.Order) -> Iterator[dict[str, Any]]:
    """In the GPU process: a run that goes wrong, if the name of its job says so."""
    fault = (order.job_id or "").partition("-")[0]
    if fault == "silent":
        time.sleep(600)
    if fault == "slow" and order.seconds == SHORT:  # the platform ends it when its time is over
        yield {"type": "Heartbeat", "elapsed": 0.0}
        time.sleep(SHORT)
        os.kill(os.getpid(), signal.SIGKILL)
    for event in real_events(order):
        yield event
        if event["type"] != "Step":
            continue
        match fault:
            case "raise":
                raise ValueError("broken in the GPU process")
            case "exit":
                raise SystemExit(3)
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "endless":
                return


gpu_process._events = events_with_faults


@contextlib.contextmanager
def visit(token: str | None) -> Iterator[None]:
    """Be in a request of a visitor, as Gradio sets it."""
    headers = Headers({"x-ip-token": token} if token else {})
    mark = LocalContext.request.set(SimpleNamespace(headers=headers))  # type: ignore[arg-type]
    try:
        yield
    finally:
        LocalContext.request.reset(mark)


def told(event: Event) -> dict[str, Any]:
    if isinstance(event, Preview):
        return {"type": "Preview", "step": event.step, "frames": len(event.frames)}
    return to_dict(event)


class Host:
    """What the tests ask of the studio."""

    def __init__(self, settings: Settings) -> None:
        self.studio: Studio = open_on_zerogpu(settings)
        self.runner: Any = self.studio._runner
        self._blocks: gr.Blocks | None = None

    def run(self, name: str, token: str | None, stop_at: str = "", mode: str = "t2v", **changes: Any) -> Any:
        """Run a request without the queue; return its events, and how long it took from a stop to the end."""
        cancel, events, stopped = CancelToken(), [], 0.0
        with visit(token):
            for event in self.runner.run(small_spec(mode, **changes), cancel, job_id=name):
                events.append(told(event))
                if not stopped and stop_at == type(event).__name__:
                    stopped = time.monotonic()
                    cancel.cancel()
                if isinstance(event, Finished):
                    events[-1]["sizes"] = [output.path.stat().st_size for output in event.outputs]
        seconds = time.monotonic() - stopped if stopped else 0.0
        memory = self.runner.memory()
        staged = [each.name for each in self.studio.settings.staging_dir.glob("*") if f"-{name}-" in each.name]
        return {
            "events": events, "seconds": seconds, "staged": staged, "memory": None if memory is None else memory.device
        }  # fmt: skip

    def together(self, *runs: dict[str, Any]) -> Any:
        """Run several at once."""
        answers: dict[int, Any] = {}
        threads = [
            threading.Thread(target=lambda number=number, run=run: answers.update({number: self.run(**run)}))
            for number, run in enumerate(runs)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [answers[number] for number in range(len(runs))]

    def job(self, owner: str, token: str | None, leave_at: str = "", **changes: Any) -> Any:
        """Submit a request and follow it as the page does; leave, as with a closed tab, in a state."""
        with visit(token):
            (job_id,) = self.studio.jobs.submit(owner, [small_spec(**changes)])
            states, previews, phases = [], 0, []
            following = self.studio.follow(job_id, owner)
            for job in following:
                states.append(job.state.name)
                previews += bool(self.studio.jobs.preview(job_id))
                phases.append(job.as_dict().get("stage"))
                if leave_at and (phases[-1] or "").startswith(leave_at):
                    following.close()
            job = self.studio.jobs.get(job_id, owner)
            end = time.monotonic() + 60
            while job.state.name in ("queued", "running") and time.monotonic() < end:
                time.sleep(0.1)
                job = self.studio.jobs.get(job_id, owner)
        return {"job": job.as_dict(), "states": states, "previews": previews, "phases": phases}

    def takes(self, owner: str) -> Any:
        return [take.id for take in self.studio.takes.page(owner).takes]

    def cost(self, **changes: Any) -> Any:
        found = self.studio.cost(small_spec(**changes))
        return None if found is None else [found.seconds, found.counted, found.fits]

    def account(self, owner: str) -> Any:
        self.studio.work_for(owner)
        found = self.studio.cost(small_spec())
        return None if found is None else found.account

    def cut_off(self, token: str | None) -> Any:
        """Run a request whose quote is too short."""
        real = quote.quote
        self.studio._runner._longer = quote.LongerQuotes()  # type: ignore[attr-defined]  # what earlier runs have taught it
        quote.quote = lambda *_, **__: quote.Quote("large", SHORT)
        try:
            return self.run("slow-it", token)
        finally:
            quote.quote = real

    def card(self, factor: float) -> Any:
        """Have the platform's package take the card for one that counts each second so often."""
        real = spaces.zero.config.get_config.__wrapped__
        spaces.zero.config.get_config = functools.wraps(real)(lambda: {**real(), "duration_factor": factor})

    def patience(self, silent: float) -> Any:
        stream.SILENT_SECONDS = silent

    def page(self) -> Any:
        """Open the page; return its address."""
        self._blocks = blocks = build_app(self.studio.settings, studio=self.studio)
        blocks.launch(server_name=LOOPBACK, quiet=True, prevent_thread_lock=True, ssr_mode=False)
        blocks.owners.apart = True  # as on a Space, whose visitors come through its proxy
        return {"url": str(blocks.local_url), "most": blocks._queue.max_size}

    def wait_released(self) -> Any:
        """Wait until no job runs."""
        end = time.monotonic() + 60
        while (self.studio.jobs.any_running() or self.runner._streams) and time.monotonic() < end:
            time.sleep(0.1)

    def end(self) -> Any:
        if self._blocks is not None:
            self._blocks.close(verbose=False)
        return self.studio.close(20)


def main() -> None:
    commands, answers = os.fdopen(os.dup(sys.stdin.fileno())), sys.stdout
    sys.stdin = io.StringIO()  # a forked process closes it, which waits for the thread that reads it
    sys.stdout = sys.stderr
    assert is_zerogpu(os.environ)
    settings = Settings(home=Path(sys.argv[1]), comfy_dir=Path(sys.argv[2]), hub_cache=Path(sys.argv[3]))
    log_to_file(settings)
    host = Host(settings)
    print(json.dumps("ready"), file=answers, flush=True)
    for line in commands:
        name, positional, named = json.loads(line)
        try:
            answer = {"answer": getattr(host, name)(*positional, **named)}
        except Exception as error:
            import traceback

            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)
        if name == "end":
            os._exit(0)


if __name__ == "__main__":
    main()
