"""The worker of a cluster: an engine of its own, in a process of its own."""

import logging
import logging.handlers
import os
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Memory, run_folders
from ltx_studio.errors import BusyError, ExecutionError, Remedy, SetupError, StudioError
from ltx_studio.events import Cancelled, Failed, Finished, Output, Prepared, Preview, to_dict
from ltx_studio.logs import SafeFormatter
from ltx_studio.media import InputPreparer
from ltx_studio.permissions import make_private
from ltx_studio.queue.specs import Spec, read_spec
from ltx_studio.runners.protocol import UNWIND_SECONDS, Runner
from ltx_studio.runners.ray.fingerprint import Fingerprint
from ltx_studio.runners.ray.previews import LatestPreview
from ltx_studio.runners.ray.transport import ReceivedInputs, results_of
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

MakeRunner = Callable[[Settings], Runner]

LOG_BYTES = 2_000_000
MOST_TOKENS = 100
"""Runs for which a stop is remembered. Far fewer go on at once."""


@dataclass(frozen=True, slots=True)
class Post:
    """Where a worker is, and for whom it works.

    Attributes:
        name: Its name, as users see it.
        token: The name of a file in the studio's folder of workers: a worker that sees it shares the studio's home.
        threads: How many threads of the processor it may use; 0 leaves that to torch.
    """

    name: str
    token: str
    threads: int = 0


class ClusterWorker:
    """Runs one job at a time. Its methods return built-in types, so that other versions understand them.

    Args:
        post: Where it is.
        make_runner: Makes the runner.
        settings: The settings of the machine that it is on.
    """

    def __init__(self, post: Post, make_runner: MakeRunner, settings: Settings) -> None:
        self._settings = settings
        self._shares_home = (self._settings.workers_dir / post.token).exists()
        self._inputs = ReceivedInputs(self._settings.temp_dir / "received")
        self._runner = make_runner(self._settings)
        self._fingerprint = Fingerprint.of(self._settings).to_dict()
        self._guard = threading.Lock()
        self._tokens: dict[str, CancelToken] = {}
        self._previews: dict[str, LatestPreview] = {}
        self._job = self._model_set = ""
        self._runner.start()

    def describe(self) -> dict[str, Any]:
        """Return its state. It answers during runs, too."""
        memory, problem = self._runner.memory(), self._runner.problem()
        if problem is None and self._runner.failed():  # else it would take one job after another, and fail them all
            problem = SetupError("Its ComfyUI did not start.", "Check the worker's log.")
        return {
            "fingerprint": self._fingerprint,
            "shares_home": self._shares_home,
            "pid": os.getpid(),
            "problem": None if problem is None else problem.to_dict(),
            "job": self._job,
            "model_set": self._model_set,
            "memory": None if memory is None else _plain(memory),
            "kept": [] if self._shares_home else [*run_folders.all_finished(self._settings.staging_dir)],
        }

    def _failed(self, error: StudioError) -> dict[str, Any]:
        """Return the failure to send. It offers to delete clips only if they are on this worker's disk."""
        return to_dict(Failed(error if self._shares_home else error.without(Remedy.MAKE_ROOM)))

    def missing(self, names: list[str]) -> list[str]:
        """Return which files of a request it does not have yet."""
        return self._inputs.missing(names)

    def receive(self, name: str, block: bytes, number: int, is_last: bool) -> None:  # noqa: FBT001
        """Take a block of a file; see `ReceivedInputs.take`."""
        self._inputs.take(name, block, number, is_last=is_last)

    def run(self, stored: Mapping[str, Any], job_id: str, attempt: str) -> Iterator[dict[str, Any]]:
        """Run a request and yield its events as dictionaries, between them the blocks of its results.

        The results that are sent stay here, too, until the studio has them: see `delivered`.

        Args:
            stored: The request, as `JobSpec.as_dict` returns it.
            job_id: The id of the job.
            attempt: Names this run for `cancel`; a job may run several times.
        """
        cancel, previews = self._token(attempt), LatestPreview()
        self._job, self._previews[attempt] = job_id, previews
        try:
            for event in self._runner.run(self._request(stored), cancel, job_id=job_id):
                if isinstance(event, Finished):
                    self._model_set = str(stored.get("model_set", ""))
                    if not self._shares_home:
                        yield from results_of(event)
                if isinstance(event, Preview):
                    previews.put(event)
                if not isinstance(event, Finished | Failed | Cancelled) and (preview := previews.next()) is not None:
                    yield preview
                if isinstance(event, Failed):
                    yield self._failed(event.error)
                elif not isinstance(event, Preview):
                    yield to_dict(event)
        except StudioError as error:
            yield self._failed(error)
        except Exception as error:
            log.exception("job %s could not be run", job_id)
            yield to_dict(Failed(ExecutionError.unexpected(error, details=traceback.format_exc())))
        finally:
            self._job = ""
            self._previews.pop(attempt, None)
            with self._guard:
                self._tokens.pop(attempt, None)  # that of the next attempt may be there already

    def deliver(self, stored: Mapping[str, Any], job_id: str, attempt: str) -> Iterator[dict[str, Any]]:
        """Send the results of a finished run that the studio does not have, as `run` does; nothing if they are gone.

        It needs no engine, so it may go on beside a run.
        """
        cancel = self._token(attempt)
        try:
            files = run_folders.finished(self._settings.staging_dir, job_id)
            if not files:
                return
            preparer = InputPreparer(self._settings.inputs_dir, self._settings.models_dir / "loras")
            yield to_dict(Prepared(self._request(stored).build(preparer).graph))
            finished = Finished(tuple(Output(path, "") for path in files), 0.0)
            for block in results_of(finished):
                if cancel.cancelled:
                    yield to_dict(Cancelled())
                    return
                yield block
            yield to_dict(finished)
        except (StudioError, OSError):  # the job runs again
            log.exception("the results of job %s cannot be sent", job_id)
        finally:
            with self._guard:
                self._tokens.pop(attempt, None)

    def delivered(self, job_id: str) -> None:
        """Remove the results of a run: the studio has them."""
        if not self._shares_home:
            run_folders.discard_run(self._settings.staging_dir, job_id)

    def cancel(self, attempt: str) -> None:
        """Stop a run, also inside a step, and also if it has not begun yet."""
        self._token(attempt).cancel()

    def seen(self, attempt: str) -> None:
        """Note that the studio has shown the last preview of a run, so that the next one may be sent."""
        latest = self._previews.get(attempt)
        if latest is not None:
            latest.seen()

    def unload(self) -> dict[str, Any] | None:
        """Free all models, unless a run uses them; return the memory before and after."""
        try:
            freed = self._runner.unload()
        except BusyError:
            return None
        self._model_set = ""
        return None if freed is None else {"before": _plain(freed[0]), "after": _plain(freed[1])}

    def close(self) -> bool:
        """Stop everything before the process ends."""
        with self._guard:
            for token in self._tokens.values():
                token.cancel()
        return self._runner.close(UNWIND_SECONDS)

    def _request(self, stored: Mapping[str, Any]) -> Spec:
        """Return a request with the files as they are here."""
        spec = read_spec(stored, self._settings)
        if self._shares_home:
            return spec
        return spec.with_files(lambda path, kind: self._inputs.folder / path.name)  # noqa: ARG005

    def _token(self, attempt: str) -> CancelToken:
        with self._guard:
            token = self._tokens.setdefault(attempt, CancelToken())
            for oldest in list(self._tokens)[:-MOST_TOKENS]:  # of runs that were stopped after their end
                del self._tokens[oldest]
            return token


class WorkerProcess(ClusterWorker):
    """A worker that has its process to itself. Ray makes actors of this class.

    Args:
        post: Where it is.
        make_runner: Makes the runner.
        settings: The studio's settings, on the studio's own machine. On another one, None: the worker uses those of
            that machine.
    """

    def __init__(self, post: Post, make_runner: MakeRunner, settings: Settings | None) -> None:
        if post.threads:
            os.environ["OMP_NUM_THREADS"] = str(post.threads)  # before torch is imported
        make_private()
        settings = settings or Settings.from_env(os.environ)
        _log_to_file(settings, post.name)
        super().__init__(post, make_runner, settings)


def _plain(memory: Memory) -> dict[str, Any]:
    return {
        "device": memory.device,
        "tier": memory.tier,
        "total": memory.total,
        "free": memory.free,
        "used": memory.used,
        "models": [list(model) for model in memory.models],
    }


def memory_of(plain: Mapping[str, Any]) -> Memory:
    """Return the memory that a worker described."""
    models = tuple((str(name), int(size)) for name, size in plain["models"])
    return Memory(plain["device"], plain["tier"], plain["total"], plain["free"], plain["used"], models)


def _log_to_file(settings: Settings, name: str) -> None:
    """Send log records to a file of this worker's own, because processes cannot share one that rotates."""
    path: Path = settings.log_file.with_name(f"worker-{name.replace('/', '-')}.log")
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
