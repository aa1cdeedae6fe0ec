"""Measure what the head of a cluster costs, and simulate 1 to 512 workers without rendering.

python -m bench.cluster            # the head's processor time, and the simulation
python -m bench.cluster pace       # 10 clips on one worker and on two of one thread each; needs Ray
"""

import heapq
import itertools
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ltx_studio.engine import comfyui
from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.events import Finished, Output, Preview, from_dict, to_dict
from ltx_studio.families import ModelSet
from ltx_studio.models import get_registry
from ltx_studio.queue import LOCAL, Database, JobSpec, Queue
from ltx_studio.queue.jobs import Job
from ltx_studio.queue.live_updates import LiveUpdates
from ltx_studio.queue.states import Progress
from ltx_studio.settings import Settings, get_settings
from ltx_studio.studio.jobs import Jobs
from ltx_studio.takes.records import NewTake
from ltx_studio.takes.take_store import TakeStore

OWNERS = 1_000
WORKERS = (1, 8, 64, 512)
LOAD = 0.8
"""The fraction of the workers' time that is asked for."""

RECORDED = (
    0.9, 1.8, 10.0, 8.1, 1.1, 2.1, 9.9, 7.4, 1.1, 2.1, 9.7, 6.9, 0.9, 1.6, 10.1, 6.8, 1.3, 2.1, 10.7, 9.5, 1.4, 3.0,
    18.9, 14.8,
)  # fmt: skip
"""Seconds of a run: the README's table of the pocket preview, every mode with every preset."""

LARGER = 10.0
"""About how much longer the full model runs on a GPU than the pocket model here: 9 s to 3 min."""

LOOKS, RENEWALS, REPORTS, BEATS, PREVIEWS = 4.0, 0.1, 4.0, 2.0, 1.0
"""How often each step happens per second of a run."""

ON_RAY = 4.5
"""Milliseconds of the head's processor for each second of a run on Ray, beside the above: see `bench.ray_head`."""

CLIP = Path(__file__).parent.parent / "tests" / "data" / "circle-fast.mp4"
PACE_JOBS, PACE_LIMIT = 10, 0.65


def main(arguments: list[str]) -> int:
    if arguments == ["pace"]:
        return pace()
    with tempfile.TemporaryDirectory() as scratch:
        costs = Costs.measured(Path(scratch))
        for line in costs.lines():
            print(line)
        print()
        print("workers  runs      delay: median     95 %  utilisation  turns apart  head's processor, of one core")
        for scale, count in itertools.product((1.0, LARGER), WORKERS):
            print(simulated(Path(scratch) / f"{scale}-{count}.db", count, scale, costs))
    return 0


@dataclass(frozen=True, slots=True)
class Costs:
    """Milliseconds of the head's processor for each of these."""

    submit: float
    claim: float
    finish: float
    keep: float
    look: float
    renew: float
    report: float
    beat: float
    preview: float
    follower: float

    @classmethod
    def measured(cls, scratch: Path) -> "Costs":
        settings = home_at(scratch / "home")
        database = Database(settings.database_file)
        queue = Queue(database)
        spec = JobSpec.from_request("t2v", {"prompt": "a red ball", "seed": 1}, pocket(settings), "fast")
        stored = ("t2v", spec.as_dict())
        submit = cpu(lambda: queue.submit(LOCAL, [stored]))
        job = queue.claim(worker="bench")
        assert job is not None
        claim = cpu(lambda: queue.claim(worker="bench"))
        ends = iter([each.id for each in queue.running()])

        def end() -> None:
            ended = next(ends)
            assert queue.finish(ended, _take(ended, LOCAL), worker="bench")

        finish = cpu(end, 100)
        running = queue.submit(LOCAL, [stored])[0]
        while (claimed := queue.claim(worker="bench")) is not None and claimed.id != running:
            pass
        progress = Progress("Stage 1", 1, 8, 0, 3)
        preview = to_dict(Preview("stage1", 1, (bytes(4_000),) * 7))
        beat = to_dict(Finished((), 1.0))
        return cls(
            submit,
            claim,
            finish,
            _cost_of_keeping(settings, job, spec),
            cpu(lambda: queue.is_stopping(running)),
            cpu(lambda: queue.renew(running, "bench")),
            cpu(lambda: queue.report(running, progress)),
            cpu(lambda: from_dict(beat)),
            cpu(lambda: from_dict(preview)),
            _cost_of_following(settings, database, running),
        )

    @property
    def job(self) -> float:
        """Milliseconds for each job, whatever its length."""
        return self.submit + self.claim + self.finish + self.keep

    @property
    def second(self) -> float:
        """Milliseconds for each second of a run."""
        events = self.beat * BEATS + self.preview * PREVIEWS
        return self.look * LOOKS + self.renew * RENEWALS + self.report * REPORTS + events + ON_RAY

    def lines(self) -> Iterator[str]:
        for name in ("submit", "claim", "finish", "keep", "look", "renew", "report"):
            yield f"{name:10} {getattr(self, name):8.3f} ms"
        yield f"each job {self.job:.1f} ms; each second of a run {self.second:.2f} ms"
        yield f"each follower {self.follower:.2f} ms a second"


def home_at(home: Path) -> Settings:
    """Return settings of a home with the ComfyUI and the node definitions of the user's own."""
    own = get_settings()
    settings = Settings(home=home, comfy_dir=comfyui.find(own).path)
    snapshot_path(settings).parent.mkdir(parents=True)
    shutil.copyfile(snapshot_path(own), snapshot_path(settings))
    return settings


def cpu(work: Callable[[], object], times: int = 300) -> float:
    """Return the milliseconds of processor time that a call takes."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) * 1000 / times


def pocket(settings: Settings) -> ModelSet:
    return get_registry(settings).get_set("pocket")


def _take(job: str, owner: str) -> NewTake:
    return NewTake(job, job, owner, "t2v", 0.0, "f.mp4", 1, "a red ball", {"params": {}}, {})


def _cost_of_keeping(settings: Settings, job: Job, spec: JobSpec) -> float:
    """Return the milliseconds for making a take of a clip of two seconds: recipe, provenance, poster."""
    store, numbers = TakeStore(settings), itertools.count()
    graph = spec.build(lambda prepared: prepared.path.name).graph
    settings.staging_dir.mkdir(parents=True)

    def keep() -> None:
        number = next(numbers)
        made = shutil.copyfile(CLIP, settings.staging_dir / f"{number}.mp4")
        store.keep(replace(job, id=f"job{number}"), spec, graph, Finished((Output(made, "Save"),), 1.0), {})

    return cpu(keep, 20)


def _cost_of_following(
    settings: Settings, database: Database, job: str, count: int = 50, seconds: float = 3.0
) -> float:
    """Return the milliseconds that a follower of a running job takes in a second."""
    count, seconds, live = 50, 3.0, LiveUpdates()
    jobs = Jobs(settings, database, live_updates=live)
    over = threading.Event()

    def follow() -> None:
        for _ in jobs.follow(job, LOCAL):
            if over.is_set():
                return

    threads = [threading.Thread(target=follow, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    began = time.process_time()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        live.tell(job)
        time.sleep(1 / REPORTS)
    used = (time.process_time() - began) * 1000
    over.set()
    live.tell(job)
    for thread in threads:
        thread.join()
    return used / count / seconds


@dataclass(slots=True)
class _Seen:
    """The measurements of one simulation."""

    arrived: dict[str, tuple[str, float]]
    delays: list[float]
    busy: float = 0.0
    apart: int = 0
    span: float = 0.0


def simulated(file: Path, workers: int, scale: float, costs: Costs) -> str:
    """Simulate workers with the real queue and a clock of its own; return a line of the table."""
    rolls = random.Random(workers)
    queue = Queue(Database(file))
    mean = statistics.mean(RECORDED) * scale
    count = max(2_000, workers * 30)
    rate = LOAD * workers / mean
    clock, numbers = 0.0, itertools.count()
    events: list[tuple[float, int, str, str]] = []
    for _ in range(count):
        clock += rolls.expovariate(rate)
        owner = f"owner{min(int(rolls.paretovariate(0.6)), OWNERS)}" if rolls.random() < 0.5 else ""
        heapq.heappush(events, (clock, next(numbers), "arrives", owner or f"owner{rolls.randrange(OWNERS)}"))
    seen, free = _Seen({}, [], span=clock), workers
    spec = ("t2v", {"params": {"prompt": "a red ball"}})
    waiting: Counter[str] = Counter()
    since: dict[str, Counter[str]] = defaultdict(Counter)
    while events:
        now, _, what, who = heapq.heappop(events)
        if what == "arrives":
            (job,) = queue.submit(who, [spec])
            seen.arrived[job] = (who, now)
            waiting[who] += 1
            if waiting[who] == 1:
                since[who].clear()
        else:
            queue.drop(who, worker="bench")
            free += 1
        while free and waiting.total() and (claimed := queue.claim(worker="bench")) is not None:
            free -= 1
            owner, came = seen.arrived[claimed.id]
            seen.delays.append(now - came)
            _take_turn(owner, waiting, since, seen)
            seconds = rolls.choice(RECORDED) * scale
            seen.busy += max(min(now + seconds, clock) - min(now, clock), 0.0)  # until the last one arrives
            heapq.heappush(events, (now + seconds, next(numbers), "ends", claimed.id))
    return _line(workers, mean, seen, costs)


def _take_turn(owner: str, waiting: Counter[str], since: dict[str, Counter[str]], seen: _Seen) -> None:
    """Note a turn: how many turns somebody else got while an owner waited is what fairness is about."""
    waiting[owner] -= 1
    for other, left in waiting.items():
        if left and other != owner:
            since[other][owner] += 1
            seen.apart = max(seen.apart, since[other][owner])
    since[owner].clear()
    if not waiting[owner]:
        del waiting[owner]


def _line(workers: int, mean: float, seen: _Seen, costs: Costs) -> str:
    delays = sorted(seen.delays)
    middle, most = statistics.median(delays), delays[int(len(delays) * 0.95)]
    used = seen.busy / (workers * seen.span)
    busy = workers * used
    head = (busy / mean * costs.job + busy * costs.second) / 1000
    return (
        f"{workers:7}  {mean:4.0f} s  {middle:12.1f} s  {most:7.1f} s  {used:10.0%}  {seen.apart:11}  {head:10.0%}"
        + ("   more than one core" if head > 1 else "")
    )


def pace() -> int:
    """Render the same clips on one worker and on two; return 1 if two are not fast enough."""
    measured = {count: _rendered(count) for count in (1, 2)}
    seconds = {count: took for count, (took, _) in measured.items()}
    processor = {count: used / took for count, (took, used) in measured.items()}
    share = seconds[2] / seconds[1]
    for count, took in seconds.items():
        print(f"{PACE_JOBS} clips on {count} workers of one thread: {took:.1f} s")
    for count, used in processor.items():
        print(f"the head used {used:.1%} of a core meanwhile, with {count} workers")
    print(f"two take {share:.2f} of the time of one (at most {PACE_LIMIT})")
    return int(share > PACE_LIMIT)


def _rendered(workers: int) -> tuple[float, float]:
    """Return the seconds that the clips take on warm workers, and those of the processor that the head takes."""
    from ltx_studio.queue import Done
    from ltx_studio.runners.ray.cluster import RayCluster
    from ltx_studio.runners.ray.runner import RayRunner
    from ltx_studio.studio import Studio

    users = get_settings()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        home = Path(scratch)
        for name in ("models", "comfyui"):
            (home / name).symlink_to(users.home / name)
        settings = replace(users, home=home)
        runner = RayRunner(settings, RayCluster(settings, workers=workers, threads=1))
        runner.open()
        studio = Studio(settings, runner)
        spec = JobSpec.from_request("t2v", {"prompt": "a red ball", "seconds": 2.0}, pocket(settings), "fast")
        studio.work()

        def render(seeds: range) -> float:
            jobs = studio.jobs.submit(LOCAL, [spec.with_seed(seed) for seed in seeds])
            ended = [list(studio.jobs.follow(job, LOCAL))[-1].state for job in jobs]
            done = [state for state in ended if isinstance(state, Done)]
            assert len(done) == len(jobs), ended
            return max(state.ended for state in done) - min(state.started for state in done)

        try:
            while runner.lanes() < workers:
                time.sleep(0.2)
            render(range(100, 100 + 2 * workers))  # until each is warm
            while not all(worker.model_set for worker in runner.workers()):
                render(range(200, 200 + 2 * workers))
            began = time.process_time()
            return render(range(PACE_JOBS)), time.process_time() - began
        finally:
            studio.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
