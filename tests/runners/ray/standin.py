"""A cluster without Ray: its workers are objects in this process, each run in a thread of its own."""

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import run_folders
from ltx_studio.events import Cancelled, Event, PhaseStarted, Prepared, Preview, Started, Step
from ltx_studio.media import by_name
from ltx_studio.runners.protocol import Buildable, Runner
from ltx_studio.runners.ray.link import WorkerLostError
from ltx_studio.runners.ray.worker import ClusterWorker, Post
from ltx_studio.settings import Settings
from tests.runners.quick import QuickRunner, picture

OVER = object()


class EndlessRunner(QuickRunner):
    """A runner whose runs only end when they are stopped."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._staging = settings.staging_dir

    def run(self, spec: Buildable, cancel: CancelToken, *, job_id: str | None = None) -> Iterator[Event]:
        yield Prepared(spec.build(by_name).graph)
        folder = run_folders.create(self._staging, job_id or run_folders.new_run_id())
        yield Started(job_id or "", 1, 0)
        yield PhaseStarted("stage1", "Stage 1", 0, 1)
        step = 0
        while not cancel.wait(0.02):
            step += 1
            yield Preview("stage1", step, (picture(step),))
            yield Step("stage1", step, 1000)
        folder.remove()
        yield Cancelled()


class ThreadStream:
    """Implements `EventStream`."""

    def __init__(self, link: "ThreadLink", events: Iterator[dict[str, Any]]) -> None:
        self._link, self._told = link, SimpleQueue[Any]()
        threading.Thread(target=self._work, args=(events,), daemon=True).start()

    def _work(self, events: Iterator[dict[str, Any]]) -> None:
        for event in events:
            self._told.put(event)
            if self._link.is_dead:
                return
        self._told.put(OVER)

    def next(self, timeout: float) -> Mapping[str, Any] | None:
        if self._link.is_dead:
            raise WorkerLostError
        try:
            plain: Any = self._told.get(timeout=timeout)
        except Empty:
            return None
        if plain is OVER:
            raise StopIteration
        return dict(plain)


class ThreadLink:
    """Implements `Link`."""

    def __init__(self, worker: ClusterWorker) -> None:
        self.worker = worker
        self.is_dead = self.is_mute = False

    def look(self) -> Mapping[str, Any] | None:
        self._check()
        return None if self.is_mute else self.worker.describe()

    def ask(self, method: str, *given: Any, timeout: float) -> Any:
        self._check()
        return getattr(self.worker, method)(*given)

    def tell(self, method: str, *given: Any) -> None:
        if not self.is_dead:
            getattr(self.worker, method)(*given)

    def stream(self, method: str, *given: Any) -> ThreadStream:
        return ThreadStream(self, getattr(self.worker, method)(*given))

    def kill(self) -> None:
        self.is_dead = True

    def _check(self) -> None:
        if self.is_dead:
            raise WorkerLostError


class ThreadCluster:
    """Implements `Cluster`; tests add and remove places.

    Attributes:
        homes: The settings of the machine at each place.
        links: Every worker that was hired, by its place.
    """

    def __init__(self, make_runner: Callable[[Settings], Runner], homes: Mapping[str, Settings]) -> None:
        self._make_runner, self.homes = make_runner, dict(homes)
        self.links: dict[str, list[ThreadLink]] = {}

    def open(self) -> None:
        pass

    def places(self) -> Mapping[str, str]:
        return {place: place for place in self.homes}

    def hire(self, place: str, name: str, token: str) -> ThreadLink:
        link = ThreadLink(ClusterWorker(Post(name, token), self._make_runner, self.homes[place]))
        self.links.setdefault(place, []).append(link)
        return link

    def close(self) -> None:
        pass


def apart(folder: Path, *names: str) -> dict[str, Settings]:
    """Return homes that share nothing, by name."""
    return {name: Settings(home=folder / name, hub_cache=folder / "hub") for name in names}
