"""How one followed job is shown while it waits and runs: its status line, its time left, its live preview."""

import base64
import io
import time
from collections.abc import Sequence

from ltx_studio.graph import Phase
from ltx_studio.media import by_name
from ltx_studio.studio import Estimate, Job, JobSpec, Queued, Running, Spec, Studio
from ltx_studio.text.catalogue import translated
from ltx_studio.web import cards, words
from ltx_studio.web.panels import screen

PREVIEW_FRAME_MS = 250
"""How long each latent frame is shown; its eight frames of the clip, at the usual speed, take a third of a second."""
DOUBT_SECONDS, DOUBT = 5.0, 1.25
"""How long an estimate must have been longer, and by which factor, before the time left may grow."""

TELL_AGAIN, TELL_LATER, TELL_WAITING, SHORT_SECONDS = 0.2, 0.5, 1.0, 3.0
"""Seconds between two updates in the first `SHORT_SECONDS`, later, and of a job that then still waits: each costs the
browser, which may be on the machine that renders, almost a tenth of a second."""


class TimeLeft:
    """The time left as it is shown: it counts down, and grows only if the estimate stays longer for a while."""

    def __init__(self) -> None:
        self._end: float | None = None
        self._longer_since: float | None = None

    def look(self, left: float, now: float) -> float:
        """Return the seconds to show.

        Args:
            left: The estimate.
            now: In seconds since the epoch.
        """
        end = now + left
        if self._end is None or end <= self._end:
            self._end, self._longer_since = end, None
        elif left > DOUBT * max(self._end - now, 1.0):
            self._longer_since = self._longer_since or now
            if now - self._longer_since >= DOUBT_SECONDS:
                self._end, self._longer_since = end, None
        else:
            self._longer_since = None
        return max(self._end - now, 0.0)


class RunView:
    """The display of one job while it waits and runs.

    Attributes:
        spec: The job's request.
        tall: Whether its clip is higher than wide.
    """

    def __init__(self, studio: Studio, spec: Spec) -> None:
        self._studio, self.spec = studio, spec
        self._short_until = time.monotonic() + SHORT_SECONDS
        self.tall = isinstance(spec, JobSpec) and spec.params.height > spec.params.width
        self._summary = translated(spec.summary())
        self._phases: Sequence[Phase] = spec.build(by_name).phases
        self._estimate: Estimate | None = studio.takes.estimate(spec)
        self._left, self._part = TimeLeft(), 0.0
        self._shown = 0

    def status(self, job: Job, more: int) -> str:
        """Return the status line, with `more` jobs to come after this one."""
        now = time.time()
        waits = self._waits(job) if isinstance(job.state, Queued) else ""
        left, part = self._progress(job, now)
        return cards.run(job, self._phases, self._summary, now, left=left, part=part, more=more, waits=waits)

    def line(self, job: Job, ready: Sequence[str]) -> str:
        """Return the compact line, for when something else is shown; `ready` are the takes made meanwhile."""
        left, part = self._progress(job, time.time())
        return cards.going(job, self.spec.prompt, left=left, part=part, ready=ready)

    def _waits(self, job: Job) -> str:
        """Return why a job waits, if not for other jobs."""
        if self._studio.jobs.is_paused(job.owner):
            return words.WAITS_PAUSED
        return words.WAITS_FOR_WORKER if self._studio.lacks_workers else ""

    def pause(self, job: Job) -> float:
        """Return the seconds until the display is updated again."""
        if time.monotonic() < self._short_until:
            return TELL_AGAIN
        return TELL_WAITING if isinstance(job.state, Queued) else TELL_LATER

    def _progress(self, job: Job, now: float) -> tuple[float | None, float]:
        """Return the time left, if known, and the completed part of the run, which never goes back."""
        if not isinstance(job.state, Running) or not job.state.progress.phases:  # ComfyUI starts
            return None, self._part
        progress, left = job.state.progress, None
        part = progress.part
        if self._estimate is not None:
            left = self._left.look(self._estimate.left(progress, now), now)
            elapsed = max(now - job.state.started, 0.0)
            part = elapsed / (elapsed + left) if elapsed + left else part
        self._part = max(self._part, min(part, 1.0))
        return left, self._part

    def forget(self) -> None:
        """Show the latest preview again, because something else was shown."""
        self._shown = 0

    def preview(self, job_id: str) -> str | None:
        """Return the live preview if it is newer than the shown one, else None."""
        frames = self._studio.jobs.preview(job_id)
        if not frames or id(frames) == self._shown:
            return None
        self._shown = id(frames)
        return screen.forming(looping(frames), still(frames), tall=self.tall)


def looping(frames: Sequence[bytes]) -> str:
    """Return JPEG frames as an animated, looping WebP in a ``data:`` URL."""
    from PIL import Image

    first, *rest = (Image.open(io.BytesIO(frame)) for frame in frames)
    into = io.BytesIO()
    first.save(into, "WEBP", save_all=True, append_images=rest, duration=PREVIEW_FRAME_MS, loop=0, quality=70, method=0)
    return f"data:image/webp;base64,{base64.b64encode(into.getvalue()).decode()}"


def still(frames: Sequence[bytes]) -> str:
    """Return the middle one of JPEG frames as a ``data:`` URL."""
    return f"data:image/jpeg;base64,{base64.b64encode(frames[len(frames) // 2]).decode()}"
