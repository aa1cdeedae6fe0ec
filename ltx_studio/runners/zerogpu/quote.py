"""Quotes: how many seconds on a GPU a request will need, before they are spent."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ltx_studio.models import Registry
from ltx_studio.modes import get_mode
from ltx_studio.modes.phases import SAMPLED
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.runners.protocol import Account, Buildable, Cost
from ltx_studio.runners.zerogpu.accounts import A_DAY

Size: TypeAlias = Literal["large", "xlarge"]

MOST = 20 * 60
"""The longest time that is ever reserved."""
LEAST = 10
MOST_LONGER = 500
"""Kinds of work of which a longer time is kept."""
UNKNOWN = 60
"""Seconds for a request whose work is unknown, such as the user's own workflow."""

MARGIN, SPARE = 1.25, 5.0
"""What is reserved is a quarter and 5 seconds more than expected: a run that is cut off has cost all of it."""

BOOT = 6.0
"""Seconds to start ComfyUI in a new process, whose packages were imported before it was forked."""
READ_A_SECOND = 1e9
"""Bytes of model files that a new process reads in a second."""

SAMPLE, REST, PROMPT = 0.04, 0.08, 3.0
"""Seconds for a million pixels times frames: a pass through the full-size model, decoding; and for the prompt.

These are calculated from the model's operations on half of an RTX PRO 6000, not measured. Once takes were made on the
Space, their times are used instead.
"""
FULL_WIDTH = 4096
"""The width of the full-size model's tokens. The time of a pass grows with its square."""

FITS_LARGE = 40e9
"""Bytes of model that half a GPU, 48 GB, holds beside what a run needs."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The time that a run reserves.

    Attributes:
        size: The size of the GPU.
        seconds: Seconds to reserve on it.
    """

    size: Size
    seconds: int

    def cost(self, factor: float, account: Account = "") -> Cost:
        """Return what it costs a visitor with an account; `factor` is the quota for each second."""
        a_day = A_DAY[account]
        most = min(int(a_day / factor), MOST - 1)  # what is quoted as `MOST` may need more
        return Cost(self.seconds, round(self.seconds * factor), a_day, most, account)


def size_for(spec: Buildable, registry: Registry) -> Size:
    """Return the smaller GPU if the request's model fits on it, else the whole one."""
    if not isinstance(spec, JobSpec):
        return "large"
    model = registry.needs({"Model": spec.model_set.loaders.nodes["Model"]})
    return "large" if sum(file.size for file in model) <= FITS_LARGE else "xlarge"


def quote(spec: Buildable, registry: Registry, *, expected: float | None, is_warm: bool, size: Size = "large") -> Quote:
    """Return the time to reserve for a request.

    It may be more than a free account has for a day: only the platform knows whose account it is. It refuses such a run
    before it begins, which costs nothing; with less time reserved the run would be cut off, which costs all of it.

    Args:
        spec: The request.
        registry: The model files, for their sizes.
        expected: The seconds of the run by earlier takes, which were warm; None without any.
        is_warm: Whether a GPU process has run before, and will probably be used again.
        size: The size of the GPU.
    """
    if isinstance(spec, JobSpec):
        run = calculated(spec) if expected is None else expected
        seconds = run + (0.0 if is_warm else BOOT + _bytes(spec, registry) / READ_A_SECOND)
        needed = math.ceil(seconds * MARGIN + SPARE)
    else:
        needed = UNKNOWN if is_warm else UNKNOWN + math.ceil(BOOT)
    return Quote(size, min(max(needed, LEAST), MOST))


class LongerQuotes:
    """The quotes for work of which a run was cut off, so that the next one reserves enough at once."""

    def __init__(self) -> None:
        self._by_work: dict[tuple[object, ...], Quote] = {}

    def doubled(self, spec: Buildable, before: Quote) -> Quote:
        """Return, and keep for `spec`'s work, twice the time of a quote with which a run was cut off."""
        work = _work_of(spec)
        self._by_work.pop(work, None)
        longer = self._by_work[work] = Quote(before.size, min(2 * before.seconds, MOST))
        for oldest in list(self._by_work)[:-MOST_LONGER]:
            self._by_work.pop(oldest, None)
        return longer

    def at_least(self, spec: Buildable, quote: Quote) -> Quote:
        """Return `quote`, or the longer one that is kept for the same amount of work."""
        return max(quote, self._by_work.get(_work_of(spec), quote), key=lambda each: each.seconds)


def _work_of(spec: Buildable) -> tuple[object, ...]:
    """Return a key that is the same for requests that take about as long."""
    if not isinstance(spec, JobSpec):
        return (type(spec).__name__,)
    return spec.mode, spec.preset, spec.model_set.id, round(calculated(spec), 1)


def calculated(spec: JobSpec) -> float:
    """Return the seconds of a warm run by the amount of work."""
    mode, share = get_mode(spec.mode), (spec.model_set.token_width / FULL_WIDTH) ** 2
    work = mode.work(spec.params, spec.sampling, spec.model_set)
    passes = sum(amount for phase, amount in work.items() if SAMPLED.fullmatch(phase))
    pixels = spec.params.width * spec.params.height * spec.params.frames / 1e6
    return share * (SAMPLE * passes + PROMPT) + REST * pixels


def _bytes(spec: JobSpec, registry: Registry) -> int:
    files = registry.needs({**spec.model_set.loaders.nodes})
    return sum(file.size for file in files)
