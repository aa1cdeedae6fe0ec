"""For whom the current thread works, where what a run costs depends on the visitor."""

from contextvars import ContextVar

_OWNER: ContextVar[str] = ContextVar("owner", default="")


def work_for(owner: str) -> None:
    """Note whose request the current context carries out."""
    _OWNER.set(owner)


def current() -> str:
    """Return the owner whose request the current context carries out; empty if that is unknown."""
    return _OWNER.get()
