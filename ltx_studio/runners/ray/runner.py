"""The runner that hands jobs to the workers of a cluster."""

import logging
import threading
import time
import traceback
import uuid
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Memory, run_folders
from ltx_studio.errors import BusyError, ExecutionError, Remedy, RequestError, StudioError
from ltx_studio.events import Cancelled, Event, Failed, Finished, Heartbeat, Preview, Waiting, from_dict
from ltx_studio.fileio import is_full
from ltx_studio.media.input_store import check_kept
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.queue.workflow_spec import WorkflowSpec
from ltx_studio.runners.cluster_state import WorkerState
from ltx_studio.runners.preparing import problem_of
from ltx_studio.runners.protocol import UNWIND_SECONDS, Buildable
from ltx_studio.runners.ray import membership
from ltx_studio.runners.ray.link import EventStream, WorkerLostError
from ltx_studio.runners.ray.membership import Cluster, Membership, ask
from ltx_studio.runners.ray.roster import Member
from ltx_studio.runners.ray.transport import BLOCK, ReceivedResults, blocks_of
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
HEARTBEAT_SECONDS = 0.5

ATTEMPTS = 2

NO_WORKER = "Waiting for a worker to join"
ALL_BUSY = "Waiting for a free worker"


class RayRunner:
    """Implements `Runner` with one worker for each GPU, or for each slot of a CPU.

    Args:
        settings: The studio's settings.
        cluster: Where workers come from.
    """

    def __init__(self, settings: Settings, cluster: Cluster) -> None:
        self._settings = settings
        self._membership = Membership(settings, cluster)
        self._roster = self._membership.roster
        self._here = threading.local()

    def open(self) -> None:
        """Connect to the cluster, and begin to look for workers.

        Raises:
            SetupError: There is no cluster, or it cannot be used.
        """
        self._membership.open()

    def problem(self) -> StudioError | None:
        """Return why nothing can run here, or None. Looks at files only."""
        return problem_of(self._settings)

    def start(self) -> None:
        """Do nothing: each worker gets ready as soon as it joins."""

    def cost(self, spec: Buildable) -> None:
        """Return None: runs cost nothing here."""

    def lanes(self) -> int:
        """Return how many jobs can run at once now."""
        return self._roster.accepted()

    def workers(self) -> list[WorkerState]:
        """Return the state of each worker, also of those that do not fit."""
        return self._roster.states()

    def run(self, spec: Buildable, cancel: CancelToken, *, job_id: str | None = None) -> Iterator[Event]:
        """Run `spec` on a worker, and once more on another one if that is lost; see `Runner.run`."""
        run_id = job_id or run_folders.new_run_id()
        began = time.monotonic()
        try:
            yield from self._run(spec, cancel, run_id, began)
        except StudioError as error:
            yield Failed(error)
        except Exception as error:
            log.exception("a request could not be run")
            yield Failed(ExecutionError.unexpected(error, details=traceback.format_exc()))

    def _run(self, spec: Buildable, cancel: CancelToken, run_id: str, began: float) -> Iterator[Event]:
        if not isinstance(spec, JobSpec | WorkflowSpec):
            raise RequestError(
                "Previews of depth and pose maps are not available on a cluster.",
                "Start the studio without workers to see them.",
            )
        stored, last = spec.as_dict(), ""
        for keeper in self._roster.keepers(run_id):
            if (yield from self._fetched(keeper, stored, cancel, run_id, began)):
                return
        for attempt in range(1, ATTEMPTS + 1):
            member = yield from self._worker(stored, cancel, run_id, began, again=attempt > 1)
            if member is None:
                yield Cancelled()
                return
            try:
                yield from self._run_on(member, spec, stored, cancel, run_id, began)
                return
            except WorkerLostError:
                last = member.name
                log.warning("job %s lost its worker %s", run_id, last)
                self._membership.lose(member)
            finally:
                self._here.member = None
                self._roster.release(member, str(stored["model_set"]))
            run_folders.discard_run(self._settings.staging_dir, run_id)
            if cancel.cancelled:
                yield Cancelled()
                return
            if attempt < ATTEMPTS:
                yield Waiting("lost")
        raise ExecutionError(
            f"Two workers were lost while running this job; the last one was {last}.",
            "Retry the job, or make the clip smaller. See the worker's log for details.",
            remedies=[Remedy.SMALLER, Remedy.RETRY],
        )

    def _worker(
        self, stored: Mapping[str, Any], cancel: CancelToken, run_id: str, began: float, *, again: bool
    ) -> Generator[Event, None, Member | None]:
        """Yield events until a worker is free; return it, or None if the run was cancelled."""
        ticket = self._roster.queue(str(stored["model_set"]), run_id, again=again)
        told, beat = again, time.monotonic()
        try:
            while not cancel.cancelled and not self._membership.is_closed:
                member = self._roster.take(ticket)
                if member is not None:
                    return member
                if not told:
                    told = True
                    yield Waiting("lane", ALL_BUSY if self.lanes() else NO_WORKER)
                cancel.wait(POLL_SECONDS)
                if time.monotonic() - beat >= HEARTBEAT_SECONDS:
                    beat = time.monotonic()
                    yield Heartbeat(beat - began)
            return None
        finally:
            self._roster.leave(ticket)

    def _run_on(
        self,
        member: Member,
        spec: JobSpec | WorkflowSpec,
        stored: Mapping[str, Any],
        cancel: CancelToken,
        run_id: str,
        began: float,
    ) -> Iterator[Event]:
        """Run on one worker, and yield its events to the end.

        Raises:
            WorkerLostError: The worker is lost.
            StudioError: The files cannot be sent, or the results not be written.
        """
        self._here.member = member
        if not member.shares_home:
            yield from self._send(member, [*spec.files().values()], cancel, began)
            if cancel.cancelled:
                yield Cancelled()
                return
        if not (yield from self._received(member, "run", stored, cancel, run_id, began)):
            raise ExecutionError("The run ended without a result.", "Try again.")

    def _fetched(
        self, member: Member, stored: Mapping[str, Any], cancel: CancelToken, run_id: str, began: float
    ) -> Generator[Event, None, bool]:
        """Fetch the results of a job that a worker has kept, yield its events, and return whether the job has ended."""
        log.info("fetching the results of job %s from worker %s", run_id, member.name)
        try:
            return (yield from self._received(member, "deliver", stored, cancel, run_id, began))
        except WorkerLostError:
            self._membership.lose(member)
            run_folders.discard_run(self._settings.staging_dir, run_id)
            return False

    def _received(
        self, member: Member, method: str, stored: Mapping[str, Any], cancel: CancelToken, run_id: str, began: float
    ) -> Generator[Event, None, bool]:
        """Yield the events that a method of a worker tells; return whether an outcome was among them.

        Raises:
            WorkerLostError: The worker is lost.
            StudioError: The results cannot be stored here.
        """
        attempt = uuid.uuid4().hex
        stream = member.link.stream(method, dict(stored), run_id, attempt)
        received = ReceivedResults(self._settings.staging_dir, run_id)
        has_ended = is_over = False
        try:
            for plain in self._followed(member, stream, cancel, attempt):
                if plain is None:
                    yield Heartbeat(time.monotonic() - began)
                elif plain["type"] == BLOCK:
                    received.take(plain)
                else:
                    is_here = member.shares_home or plain["type"] != Finished.__name__
                    event = from_dict(plain) if is_here else received.finish(plain)
                    has_ended = isinstance(event, Finished | Failed | Cancelled)
                    if isinstance(event, Finished):
                        self._settle(member, run_id)
                    yield event
                    if isinstance(event, Preview):
                        member.link.tell("seen", attempt)
                if has_ended:
                    return True
            is_over = True
        except OSError as error:
            raise _undelivered(member.name, self._settings.staging_dir, error) from None
        finally:
            if not has_ended:
                received.discard()
            if not (has_ended or is_over):  # it was closed, or failed on this side
                self._stop(member, stream, attempt)
        return False

    def _settle(self, member: Member, run_id: str) -> None:
        """Have all workers that keep the results of a job remove them: they are here."""
        for each in {member, *self._roster.keepers(run_id)}:
            if each.shares_home:
                continue
            try:
                ask(each, "delivered", run_id)
            except (WorkerLostError, StudioError) as error:
                log.warning("worker %s keeps the results of job %s: %s", each.name, run_id, error)

    def _followed(
        self, member: Member, stream: EventStream, cancel: CancelToken, attempt: str
    ) -> Iterator[Mapping[str, Any] | None]:
        """Yield what a worker tells; None at least every `HEARTBEAT_SECONDS`. Pass a stop on to it."""
        beat, stopped_at = time.monotonic(), None
        while True:
            if cancel.cancelled and stopped_at is None:
                stopped_at = time.monotonic()
                ask(member, "cancel", attempt)
            try:
                plain = stream.next(POLL_SECONDS)
            except StopIteration:
                return
            now = time.monotonic()
            if plain is not None:
                beat = now
                yield plain
                continue
            is_silent = now - max(member.heard, beat) > membership.LOST_SECONDS
            if member.is_lost or is_silent or (stopped_at is not None and now - stopped_at > UNWIND_SECONDS):
                raise WorkerLostError(member.name)
            if now - beat >= HEARTBEAT_SECONDS:
                beat = now
                yield None

    def _stop(self, member: Member, stream: EventStream, attempt: str) -> None:
        """Stop a run that nobody follows any more, and wait until its worker is free; else end the worker."""
        end = time.monotonic() + UNWIND_SECONDS
        try:
            ask(member, "cancel", attempt)
            while time.monotonic() < end:
                stream.next(POLL_SECONDS)
        except StopIteration:
            return
        except WorkerLostError:
            pass
        self._membership.lose(member)

    def _send(self, member: Member, files: list[Path], cancel: CancelToken, began: float) -> Iterator[Event]:
        """Send the files that a worker lacks.

        Raises:
            WorkerLostError: The worker is lost.
            StudioError: A file has changed, or cannot be sent.
        """
        by_name = {path.name: path for path in files}
        for path in files:
            check_kept(path)
        try:
            for name in ask(member, "missing", list(by_name)):
                for number, (block, is_last) in enumerate(blocks_of(by_name[name])):
                    if cancel.cancelled:
                        return
                    ask(member, "receive", name, block, number, is_last)
                    yield Heartbeat(time.monotonic() - began)
        except OSError as error:
            raise ExecutionError(f"An input cannot be read: {error.strerror}.", "Submit the job again.") from None

    def memory(self) -> Memory | None:
        """Return the memory of the worker that this thread's run is on, else of the first one; None if unknown."""
        member = getattr(self._here, "member", None)
        members = [member] if member is not None else self._roster.members()
        return next((each.memory for each in members if each.memory is not None), None)

    def failed(self) -> bool:
        """Return False: a worker that fails to get ready says so, and others may run."""
        return False

    def unload(self) -> tuple[Memory, Memory] | None:
        """Free the models of all workers that are free; return the memory of one of them before and after.

        Raises:
            BusyError: All workers are running jobs.
        """
        members = [member for member in self._roster.members() if not member.problem]
        free = [member for member in members if not member.job]
        if members and not free:
            raise BusyError("The models are in use by a run.", "Stop the run, or wait for it to finish.")
        freed = [self._membership.unload(member) for member in free]
        return next((each for each in freed if each is not None), None)

    def close(self, timeout: float) -> bool:
        """Stop all runs, wait up to `timeout` seconds, and leave the cluster."""
        self._membership.close(timeout)
        return True


def _undelivered(worker: str, folder: Path, error: OSError) -> ExecutionError:
    why = error.strerror or error
    return ExecutionError(
        f"The clip is finished, but the studio could not store it: {why}. Worker {worker} keeps it.",
        "Free some space on the studio's disk, and retry the job: the clip is fetched and not rendered again.",
        where=str(folder),
        remedies=[Remedy.RETRY, *([Remedy.MAKE_ROOM] if is_full(error) else [])],
    )
