"""The functions that the platform runs on a GPU: one for each size, since each has processes of its own.

Importing this module needs the platform's package `spaces`, before anything touches CUDA.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

import spaces

from ltx_studio.runners.zerogpu.gpu_process import Order, carry_out

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


def factor(size: Size) -> float:
    """Return how many seconds of quota the platform reserves for each second on a GPU of this size.

    On a Blackwell card it multiplies the time on half a GPU by 1.5; a whole one counts twice.
    """
    if size == "xlarge":
        return 2.0
    from spaces.zero.config import get_config

    return float(get_config()["duration_factor"])
