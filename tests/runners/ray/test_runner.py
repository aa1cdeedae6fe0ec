"""Jobs on the workers of a cluster: its workers are objects in this process, everything else is real."""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import run_folders
from ltx_studio.errors import ExecutionError, Remedy
from ltx_studio.events import Cancelled, Event, Failed, Finished, Waiting
from ltx_studio.queue import LOCAL, Done, Queued, Running
from ltx_studio.queue import Cancelled as CancelledJob
from ltx_studio.queue import Failed as FailedJob
from ltx_studio.queue.states import Progress
from ltx_studio.runners.cluster_state import read_states
from ltx_studio.runners.protocol import Buildable, ClusterRunner
from ltx_studio.runners.ray import membership
from ltx_studio.runners.ray import runner as ray_runner
from ltx_studio.runners.ray.roster import Member
from ltx_studio.runners.ray.runner import RayRunner
from ltx_studio.runners.ray.transport import ReceivedInputs
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.text.phrases import WAITING
from tests.runners.quick import QuickRunner, clip
from tests.runners.ray.standin import EndlessRunner, ThreadCluster, apart
from tests.support import queue_of, small_spec, staged_in


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(ray_runner, "POLL_SECONDS", 0.01)
    monkeypatch.setattr("ltx_studio.runners.worker_pool.LOOK_SECONDS", 0.02)


@contextmanager
def running(settings: Settings, cluster: ThreadCluster) -> Iterator[RayRunner]:
    runner = RayRunner(settings, cluster)
    runner.open()
    try:
        yield runner
    finally:
        assert runner.close(10)


@contextmanager
def serving(settings: Settings, cluster: ThreadCluster) -> Iterator[Studio]:
    runner = RayRunner(settings, cluster)
    runner.open()
    studio = Studio(settings, runner)
    studio.work()
    try:
        yield studio
    finally:
        assert studio.close(20)


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def members(studio: Studio) -> list[Member]:
    runner = studio._runner
    assert isinstance(runner, RayRunner)
    return runner._roster.members()


def outcomes(events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, Finished | Failed | Cancelled)]


def test_it_is_a_runner_of_a_cluster(home: Settings) -> None:
    assert isinstance(RayRunner(home, ThreadCluster(QuickRunner, {})), ClusterRunner)
    assert not isinstance(QuickRunner(home), ClusterRunner)


def test_workers_of_the_same_home_leave_results_where_they_are(home: Settings) -> None:
    with running(home, ThreadCluster(QuickRunner, {"here/1": home})) as runner:
        *_, last = runner.run(small_spec(), CancelToken(), job_id="job")

    assert isinstance(last, Finished)
    (output,) = last.outputs
    assert output.path.is_relative_to(home.staging_dir)
    assert output.path.read_bytes() == clip()
    assert staged_in(home) == {output.path.parent}


def test_without_a_shared_folder_inputs_and_results_travel(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltx_studio.runners.ray.transport.BLOCK_BYTES", 1000)
    other = apart(tmp_path, "other")["other"]
    with running(home, ThreadCluster(QuickRunner, {"other/1": other})) as runner:
        *_, last = runner.run(small_spec(), CancelToken(), job_id="job")

    assert isinstance(last, Finished)
    (output,) = last.outputs
    assert output.path.is_relative_to(home.staging_dir)
    assert output.path.read_bytes() == clip()
    assert staged_in(other) == set(), "what was delivered is removed there"


def test_a_clip_that_the_studio_cannot_store_stays_on_its_worker_until_a_retry_fetches_it(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, create = apart(tmp_path, "other")["other"], run_folders.create

    def full(staging_dir: Path, run_id: str) -> run_folders.RunFolder:
        if staging_dir == home.staging_dir:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return create(staging_dir, run_id)

    ran: list[str | None] = []

    class Counting(QuickRunner):
        def run(self, spec: Buildable, cancel: CancelToken, *, job_id: str | None = None) -> Iterator[Event]:
            ran.append(job_id)
            return super().run(spec, cancel, job_id=job_id)

    monkeypatch.setattr(run_folders, "create", full)
    with serving(home, ThreadCluster(Counting, {"other/1": other})) as studio:
        (job,) = studio.jobs.submit(LOCAL, [small_spec()])
        *_, failed = studio.jobs.follow(job, LOCAL)

        assert isinstance(failed.state, FailedJob)
        error = failed.state.error
        assert "No space left on device. Worker other/1 keeps it." in error.message
        assert "Free some space on the studio's disk" in error.hint
        assert (error.where, error.remedies) == (str(home.staging_dir), (Remedy.RETRY, Remedy.MAKE_ROOM))
        ((kept, (file,)),) = run_folders.all_finished(other.staging_dir).items()
        assert (kept, file.read_bytes()) == (job, clip())

        monkeypatch.setattr(run_folders, "create", create)
        until(lambda: any(each.kept for each in members(studio)))
        studio.jobs.retry(job, LOCAL)
        *_, ended = studio.jobs.follow(job, LOCAL)

        assert isinstance(ended.state, Done), ended.state
        assert ran == [job], "it was rendered once"
        (take,) = studio.takes.page(LOCAL).takes
        assert take.job == job
        assert staged_in(home) == set() == staged_in(other), "what was delivered is removed there"


def test_a_job_is_rendered_again_where_what_its_worker_kept_is_gone(home: Settings, tmp_path: Path) -> None:
    other = apart(tmp_path, "other")["other"]
    folder = run_folders.create(other.staging_dir, "job")
    made = folder.saving / "clip.mp4"
    made.touch()
    folder.finish([made])
    cluster, cancel = ThreadCluster(QuickRunner, {"other/1": other}), CancelToken()
    with running(home, cluster) as runner:
        until(lambda: runner._roster.keepers("job"))
        cluster.links["other/1"][0].is_mute = True  # it cannot say that the clip is gone
        folder.remove()
        threading.Timer(8, cancel.cancel).start()
        *_, last = runner.run(small_spec(), cancel, job_id="job")

    assert isinstance(last, Finished)
    assert staged_in(other) == set()


def test_files_of_a_request_are_sent_once_and_arrive_whole(
    home: Settings, tmp_path: Path, samples: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltx_studio.runners.ray.transport.BLOCK_BYTES", 100)
    other = apart(tmp_path, "other")["other"]
    cluster = ThreadCluster(QuickRunner, {"other/1": other})
    sent = []
    with serving(home, cluster) as studio:
        for seed in (1, 2):
            (job,) = studio.jobs.submit(LOCAL, [small_spec("i2v", image=samples["image"], seed=seed)])
            *_, ended = studio.jobs.follow(job, LOCAL)
            assert isinstance(ended.state, Done)
            (received,) = (other.temp_dir / "received").iterdir()
            sent.append(received.stat().st_ino)

    assert received.read_bytes() == samples["image"].read_bytes()
    assert received.name in {path.name for path in home.kept_dir.iterdir()}
    assert sent[0] == sent[1]


def test_a_file_that_was_changed_on_its_way_is_refused(tmp_path: Path) -> None:
    inputs = ReceivedInputs(tmp_path)
    name = f"{'0' * 64}.png"

    with pytest.raises(ExecutionError, match="damaged"):
        inputs.take(name, b"other", 0, is_last=True)
    assert inputs.missing([name]) == [name]


def test_a_run_that_is_stopped_stops_on_the_worker(home: Settings) -> None:
    cluster, cancel, seen = ThreadCluster(EndlessRunner, {"here/1": home}), CancelToken(), list[Event]()
    with running(home, cluster) as runner:
        for event in runner.run(small_spec(), cancel, job_id="job"):
            seen.append(event)
            if len(seen) == 10:
                cancel.cancel()

        assert outcomes(seen) == [Cancelled()] == seen[-1:]
        assert staged_in(home) == set()
        until(lambda: runner.lanes() == 1)
        assert runner.workers()[0].job == ""


def test_previews_of_a_worker_reach_the_page_one_at_a_time(home: Settings) -> None:
    with serving(home, ThreadCluster(EndlessRunner, {"here/1": home})) as studio:
        (job,) = studio.jobs.submit(LOCAL, [small_spec()])
        shown: list[bytes] = []

        def is_shown() -> bool:
            shown.extend(frame for frame in studio.jobs.preview(job) if frame not in shown)
            return len(shown) >= 3

        until(is_shown)
        studio.jobs.cancel(job, LOCAL)
        *_, ended = studio.jobs.follow(job, LOCAL)

        assert isinstance(ended.state, CancelledJob)


def test_closing_the_stream_stops_the_run_and_frees_the_worker(home: Settings) -> None:
    with running(home, ThreadCluster(EndlessRunner, {"here/1": home})) as runner:
        for number, _ in enumerate(events := runner.run(small_spec(), CancelToken(), job_id="job")):
            if number == 10:
                break
        events.close()  # type: ignore[attr-defined]

        assert staged_in(home) == set()
        assert runner.workers()[0].job == ""


def test_a_job_whose_worker_is_lost_is_tried_once_more_on_another_and_says_so(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = ThreadCluster(partial(QuickRunner, seconds=1.0), {"here/1": home, "here/2": home})
    with serving(home, cluster) as studio:
        phases: set[str] = set()  # all that is reported: a follower may miss a short one
        report = queue_of(studio).report

        def noted(job_id: str, progress: Progress) -> bool:
            phases.add(progress.phase)
            return report(job_id, progress)

        monkeypatch.setattr(queue_of(studio), "report", noted)
        until(lambda: len(studio.workers()) == 2 and not any(each.problem for each in studio.workers()))
        (job,) = studio.jobs.submit(LOCAL, [small_spec()])
        until(lambda: any(each.job for each in studio.workers()))
        (busy,) = [each.name for each in studio.workers() if each.job]
        cluster.homes.pop(busy)
        for last in studio.jobs.follow(job, LOCAL):
            ended = last.state
            if any(phases) and not cluster.links[busy][0].is_dead:
                cluster.links[busy][0].kill()

        assert isinstance(ended, Done), ended
        assert WAITING["lost"] in phases
        (take,) = studio.takes.page(LOCAL).takes
        assert "lost" in take.note
        assert staged_in(home) == set()


def test_a_job_that_loses_two_workers_fails_with_the_reason(home: Settings) -> None:
    cluster = ThreadCluster(EndlessRunner, {"here/1": home, "here/2": home})

    def busy(studio: Studio) -> list[str]:
        return [each.name for each in studio.workers() if each.job and not each.problem]

    with serving(home, cluster) as studio:
        (job,) = studio.jobs.submit(LOCAL, [small_spec()])
        for _ in range(2):
            until(partial(busy, studio))
            (name,) = busy(studio)
            lost = cluster.links[name][-1]
            lost.kill()
            until(lambda: not busy(studio) or cluster.links[busy(studio)[0]][-1].is_dead is False)
        *_, ended = studio.jobs.follow(job, LOCAL)

        assert isinstance(ended.state, FailedJob)
        assert "Two workers were lost" in ended.state.error.message
        assert Remedy.RETRY in ended.state.error.remedies


def test_a_stop_that_comes_late_does_not_stop_the_next_run_of_the_job(home: Settings) -> None:
    cluster = ThreadCluster(QuickRunner, {"here/1": home})
    with running(home, cluster) as runner:
        *_, first = runner.run(small_spec(), CancelToken(), job_id="job")
        cluster.links["here/1"][0].worker.cancel("of the run that has ended")
        *_, second = runner.run(small_spec(), CancelToken(), job_id="job")

    assert isinstance(first, Finished)
    assert isinstance(second, Finished)


def test_a_worker_whose_engine_does_not_start_gets_no_jobs(home: Settings) -> None:
    class Broken(QuickRunner):
        def failed(self) -> bool:
            return True

    with running(home, ThreadCluster(Broken, {"here/1": home})) as runner:
        until(lambda: any("did not start" in each.problem for each in runner.workers()))
        assert runner.lanes() == 0


def test_a_silent_worker_counts_as_lost(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "LOST_SECONDS", 0.3)
    monkeypatch.setattr(membership, "EARLY_SECONDS", 0.0)
    cluster = ThreadCluster(EndlessRunner, {"here/1": home})
    with running(home, cluster) as runner:
        until(lambda: runner.lanes() == 1)
        cluster.links["here/1"][0].is_mute = True
        until(lambda: len(cluster.links["here/1"]) == 2)


def test_workers_that_join_late_take_waiting_jobs_and_those_that_leave_take_none(home: Settings) -> None:
    cluster = ThreadCluster(partial(QuickRunner, seconds=0.2), {"here/1": home})
    with serving(home, cluster) as studio:
        jobs = studio.jobs.submit(LOCAL, [small_spec(seed=seed) for seed in range(8)])
        until(lambda: isinstance(studio.jobs.get(jobs[0], LOCAL).state, Done))
        cluster.homes["late/1"] = home
        until(lambda: any(each.name == "late/1" and each.job for each in studio.workers()))
        del cluster.homes["here/1"]
        until(lambda: all(isinstance(studio.jobs.get(job, LOCAL).state, Done) for job in jobs))

        assert len(studio.takes.page(LOCAL).takes) == len(jobs)
        assert [each.name for each in studio.workers()] == ["late/1"]


def test_many_jobs_of_three_owners_none_lost_none_doubled_and_owners_take_turns(home: Settings) -> None:
    cluster = ThreadCluster(partial(QuickRunner, seconds=0.01), {f"here/{number}": home for number in range(3)})
    owners = ["ada", "bea", "cyd"]
    runner = RayRunner(home, cluster)
    runner.open()
    studio = Studio(home, runner)
    jobs = {job: owner for owner in owners for job in studio.jobs.submit(owner, [small_spec()] * 12)}
    ended: list[str] = []
    studio.work()
    try:
        while len(ended) < len(jobs):
            for owner in owners:
                ended += [
                    each.id for each in studio.jobs.of(owner) if isinstance(each.state, Done) and each.id not in ended
                ]
            for most in range(0, len(ended), 3):
                counts = [sum(jobs[job] == owner for job in ended[:most]) for owner in owners]
                assert max(counts) - min(counts) <= 4
            time.sleep(0.02)
    finally:
        assert studio.close(20)

    takes = [take.job for owner in owners for take in studio.takes.page(owner, limit=100).takes]
    assert sorted(takes) == sorted(jobs)
    assert len(list(home.outputs_dir.rglob("*.mp4"))) == len(jobs)


def test_a_studio_that_closes_puts_running_jobs_back(home: Settings) -> None:
    with serving(home, ThreadCluster(EndlessRunner, {"here/1": home, "here/2": home})) as studio:
        jobs = studio.jobs.submit(LOCAL, [small_spec()] * 3)
        until(lambda: sum(isinstance(studio.jobs.get(job, LOCAL).state, Running) for job in jobs) == 2)

    assert all(isinstance(studio.jobs.get(job, LOCAL).state, Queued) for job in jobs)
    assert read_states(home) == ()


def test_a_running_job_is_cancelled_from_the_queue(home: Settings) -> None:
    with serving(home, ThreadCluster(EndlessRunner, {"here/1": home})) as studio:
        (job,) = studio.jobs.submit(LOCAL, [small_spec()])
        until(lambda: isinstance(studio.jobs.get(job, LOCAL).state, Running))
        studio.jobs.cancel(job, LOCAL)
        *_, ended = studio.jobs.follow(job, LOCAL)

        assert isinstance(ended.state, CancelledJob)


def test_other_processes_read_what_is_known_of_the_workers(home: Settings) -> None:
    with running(home, ThreadCluster(EndlessRunner, {"here/1": home})) as runner:
        until(lambda: any(not each.problem for each in read_states(home)))
        assert [each.name for each in read_states(home)] == [each.name for each in runner.workers()] == ["here/1"]
    assert read_states(home) == ()


def test_while_no_worker_is_there_a_run_waits_and_can_be_stopped(home: Settings) -> None:
    cancel, seen = CancelToken(), list[Event]()
    with running(home, ThreadCluster(QuickRunner, {})) as runner:
        for event in runner.run(small_spec(), cancel):
            seen.append(event)
            cancel.cancel()

    assert seen == [Waiting("lane", ray_runner.NO_WORKER), Cancelled()]
