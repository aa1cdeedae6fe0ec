"""The visitor whose request the current thread carries out: on ZeroGPU, the cost of a run depends on their account."""

from contextvars import ContextVar

_OWNER: ContextVar[str] = ContextVar("owner", default="")


def work_for(owner: str) -> None:
    """Note whose request the current context carries out."""
    _OWNER.set(owner)


def current() -> str:
    """Return the owner whose request the current context carries out; empty if that is unknown."""
    return _OWNER.get()
