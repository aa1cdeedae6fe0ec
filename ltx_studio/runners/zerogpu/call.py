"""The functions that the platform runs on a GPU: one for each size, since each has processes of its own.

Importing this module needs the platform's package `spaces`, before anything touches CUDA.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

import spaces

from ltx_studio.runners.protocol import Account
from ltx_studio.runners.zerogpu.accounts import ACCOUNTS, HEADER
from ltx_studio.runners.zerogpu.gpu_process import Order, carry_out

log = logging.getLogger(__name__)

Size: TypeAlias = Literal["large", "xlarge"]
Call: TypeAlias = Callable[[Order], Iterator[dict[str, Any]]]


def _seconds(order: Order) -> int:
    """Return the time to reserve; the platform calls it with the arguments of the run."""
    return order.seconds


@spaces.GPU(duration=_seconds, size="large")
def run_on_large(order: Order) -> Iterator[dict[str, Any]]:
    """Run an order on half a GPU, 48 GB."""
    yield from carry_out(order)


@spaces.GPU(duration=_seconds, size="xlarge")
def run_on_xlarge(order: Order) -> Iterator[dict[str, Any]]:
    """Run an order on a whole GPU, 96 GB, which counts twice."""
    yield from carry_out(order)


CALLS: Mapping[Size, Call] = {"large": run_on_large, "xlarge": run_on_xlarge}


_told = threading.local()


def account() -> Account:
    """Return the account of the visitor for whom this thread has asked for a GPU; empty if it is unknown."""
    told: Account = getattr(_told, "account", "")
    return told


def _hear_accounts() -> None:
    """Have each client of the device API note whose account an answer names: `spaces` uses it for its texts only.

    It patches a function that is not public; where `spaces` is built in another way, accounts stay unknown.
    """
    try:
        from spaces.zero import client

        real = client.api_client
    except (ImportError, AttributeError):
        log.warning("the accounts of visitors stay unknown: this version of spaces is another one")
        return

    def hear(response: Any) -> None:
        if response.request.url.path.endswith("/schedule"):
            _told.account = ACCOUNTS.get(response.headers.get(HEADER), "")

    def api_client() -> Any:
        made = real()
        with contextlib.suppress(AttributeError, KeyError):
            made.client.event_hooks["response"].append(hear)
        return made

    client.api_client = api_client


_hear_accounts()


def factor(size: Size) -> float:
    """Return how many seconds of quota the platform reserves for each second on a GPU of this size.

    On a Blackwell card it multiplies the time on half a GPU by 1.5; a whole one counts twice.
    """
    if size == "xlarge":
        return 2.0
    from spaces.zero.config import get_config

    return float(get_config()["duration_factor"])
