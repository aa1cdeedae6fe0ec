"""Choosing what is in memory that nobody has written yet."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

_M_PERTURB = -6


@contextmanager
def fresh_memory_filled_with(byte: int) -> Iterator[None]:
    """Have the C library fill the memory that it gives out. Has no effect where it is not glibc.

    Args:
        byte: 0 to 254.
    """
    choose = getattr(ctypes.CDLL(None), "mallopt", lambda name, value: None)
    choose(_M_PERTURB, byte ^ 255)
    try:
        yield
    finally:
        choose(_M_PERTURB, 0)
