"""Errors of the platform in words for its visitors: each kind with its own code, message and remedy.

The platform raises `gradio.Error`, whose titles and messages are those of `spaces` 0.51. They are told apart by what
they say, because their class is the same.
"""

import re
from collections.abc import Mapping

from ltx_studio.errors import (
    GpuDurationError,
    GpuError,
    GpuLostError,
    GpuQuotaError,
    GpuTimeError,
    GpuVisitError,
    NoGpuError,
    Remedy,
    StoppedError,
    StudioError,
)
from ltx_studio.runners.protocol import Account

ABORTED = "GPU task aborted"
CLOSED = "Connection closed by visitor"

_LEFT = re.compile(r"\((?P<requested>\d+)s requested vs\. (?P<left>-?\d+)s left\)")
_ACCOUNT = re.compile(r"your (free|Pro) ZeroGPU quota")
_AGAIN = re.compile(r"Try again in (?P<wait>(?:\d+ days?, )?\d+:\d\d:\d\d)")
_MORE_TIME: Mapping[Account, str] = {
    "": "log in to Hugging Face, which gives you more time",
    "free": "get a PRO account, which has 40 minutes a day",
}
"""Ways to get more time, by the account that a refusal names."""

_RETRY_LATER = "Try again in a minute."


def refusal_of(error: BaseException, seconds: int) -> StudioError:
    """Return why the platform did not run, or did not finish, a call that reserved `seconds` on the GPU."""
    title, message = str(getattr(error, "title", "")), str(getattr(error, "message", error))
    if message.startswith(CLOSED):
        return StoppedError("Stopped.", "Nothing was saved.")
    if message.startswith("No GPU was available"):
        return no_gpu(details=message)
    if "illegal duration" in title:
        return _too_long(seconds, message)
    if "quota" in title or "credits" in title:
        return _quota(message)
    if "worker error" in title:
        return lost(details=message)
    return _visit(message) if "proxy token" in message else _other(error, f"{title} {message}")


def no_gpu(*, details: str = "") -> NoGpuError:
    """Return the error about GPUs that are all in use."""
    return NoGpuError("No GPU was free in time.", _RETRY_LATER, details=details, remedies=[Remedy.RETRY])


def lost(*, details: str = "") -> GpuLostError:
    """Return the error about a GPU process that is gone."""
    return GpuLostError(
        "The GPU process ended before the run was finished.",
        "Try again. If it happens again, make a smaller or shorter clip: this one may need too much memory.",
        details=details,
        remedies=[Remedy.SMALLER, Remedy.RETRY],
    )


def timed_out(seconds: int) -> GpuTimeError:
    """Return the error about a run that the platform cut off after the time that was reserved."""
    return GpuTimeError(
        f"The run was cut off: it took longer than the {seconds} s that were reserved on the GPU.",
        "Try again, or make a smaller or shorter clip.",
        remedies=[Remedy.SMALLER, Remedy.RETRY],
    )


def _quota(message: str) -> GpuQuotaError:
    numbers, again = _LEFT.search(message), _AGAIN.search(message)
    if numbers is not None:
        said = (
            f"Not enough GPU time left: the run reserves {numbers['requested']} s, "
            f"and you have {max(int(numbers['left']), 0)} s left."
        )
    elif "runs limit" in message:
        said = "You have reached the limit of GPU runs for now."
    elif "too many" in message:
        said = "Your other runs have reserved all of your GPU time."
    else:
        said = "The GPU time for visitors without an account is used up."
    wait = f"Try again in {again['wait']} (hours:minutes:seconds)" if again is not None else "Try again later"
    named = _ACCOUNT.search(message)
    account: Account = "" if named is None else "pro" if named[1] == "Pro" else "free"
    remedies = [wait, "make a smaller or shorter clip", *([_MORE_TIME[account]] if account in _MORE_TIME else [])]
    return GpuQuotaError(
        said,
        f"{', '.join(remedies[:-1])}{',' * (len(remedies) > 2)} or {remedies[-1]}.",
        details=message,
        remedies=[Remedy.SMALLER],
    )


def _too_long(seconds: int, message: str) -> GpuDurationError:
    return GpuDurationError(
        f"The run needs {seconds} s on the GPU, more than your account may use at once.",
        "Make a shorter or smaller clip, or choose a faster preset.",
        details=message,
        remedies=[Remedy.SMALLER],
    )


def _visit(message: str) -> GpuVisitError:
    return GpuVisitError(
        "Your Hugging Face session has expired: the page was open for too long.",
        "Reload the page, then start the run again.",
        details=message,
    )


def _other(error: BaseException, message: str) -> GpuError:
    return GpuError(
        "Hugging Face could not provide a GPU.",
        _RETRY_LATER,
        details=f"{type(error).__name__}: {message}",
        remedies=[Remedy.RETRY],
    )
