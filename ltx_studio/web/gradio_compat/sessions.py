"""Keeps the state of Gradio sessions; a session is a browser tab, a `Client`, or a single call.

Gradio 6.31 gives each session a copy of the whole page: all components, all events and the configuration of each, about
a megabyte, for up to 10,000 sessions and until the server ends. Here a session shares the page and keeps only what
differs. Sessions without an open connection are dropped after a while, those without state first.

To be removed when Gradio's sessions share the page and end by themselves (`gradio/state_holder.py`).
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, TypeVar

import gradio as gr
from gradio.blocks import Block, BlocksConfig
from gradio.components import State
from gradio.state_holder import SessionState, StateHolder
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

MOST_SESSIONS = 1_000
"""Sessions that are kept without an open connection."""
IDLE_SECONDS = 3600.0
"""How long a session without an open connection is kept after its last use: a computer may sleep and reconnect."""
HEARTBEAT = "/gradio_api/heartbeat/"
_WELL_FORMED = re.compile(r"[\x21-\x7e]{1,64}")

_Value = TypeVar("_Value")


class Overlay(MutableMapping[int, _Value]):
    """A dictionary layered over another one, which it never changes."""

    __slots__ = ("_base", "_gone", "own")

    def __init__(self, base: MutableMapping[int, _Value]) -> None:
        self._base = base
        self.own: dict[int, _Value] = {}
        self._gone: set[int] = set()

    def __getitem__(self, key: int) -> _Value:
        if key in self.own:
            return self.own[key]
        if key in self._gone:
            raise KeyError(key)
        return self._base[key]

    def __setitem__(self, key: int, value: _Value) -> None:
        self.own[key] = value
        self._gone.discard(key)

    def __delitem__(self, key: int) -> None:
        if key not in self:
            raise KeyError(key)
        self.own.pop(key, None)
        if key in self._base:
            self._gone.add(key)

    def __iter__(self) -> Iterator[int]:
        """Yield the base's keys in order, then the added ones; safe while another thread changes the overlay."""
        added = [key for key in tuple(self.own) if key not in self._base]
        yield from (key for key in self._base if key not in self._gone)
        yield from added

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:
        return key in self.own or (key in self._base and key not in self._gone)

    @property
    def is_changed(self) -> bool:
        return bool(self.own or self._gone)


class Session(SessionState):
    """A session that shares the page with all others, and keeps only its changes: values, updates, renders."""

    def __init__(self, blocks: gr.Blocks) -> None:
        page = blocks.default_config  # instead of Gradio's copies of it; a test compares the attributes with Gradio's
        self.blocks_config = BlocksConfig(page.root_block)
        self.blocks_config.blocks = self._blocks = Overlay(page.blocks)  # type: ignore[assignment]
        self.blocks_config.fns = self._fns = Overlay(page.fns)  # type: ignore[assignment]
        self.blocks_config.fn_id = page.fn_id
        self.blocks_config.renderables = list(page.renderables)
        self.config_values: dict[int, Any] = {}  # for deep links, which this page does not have
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, Any] = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = int(IDLE_SECONDS)

    def __setitem__(self, key: int, value: Any) -> None:
        if isinstance(self.blocks_config.blocks.get(key), State):
            super().__setitem__(key, value)
            self.config_values.clear()
        else:
            self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None: ...

    def _update_value_in_config(self, key: int, value: Any) -> None: ...

    @property
    def is_untouched(self) -> bool:
        """Return whether it equals a new session."""
        return not (self.state_data or self._blocks.is_changed or self._fns.is_changed)

    @property
    def own_blocks(self) -> list[Block]:
        """The components that only this session has, updated or rendered."""
        return list(self._blocks.own.values())


class Sessions(StateHolder):
    """The sessions of a page. Those with an open connection are kept, and of the others the most recently used.

    Args:
        blocks: The page.
        clock: Returns the time in seconds.
    """

    def __init__(self, blocks: gr.Blocks, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.lock = threading.RLock()  # type: ignore[assignment]
        self._clock = clock
        self._used: dict[str, float] = {}
        self._connections: Counter[str] = Counter()
        self.swept: list[Callable[[], None]] = []
        """Callbacks that also run about once a second."""
        self.set_blocks(blocks)

    def __getitem__(self, session_id: str) -> Session:
        """Return the session, a new one if it is unknown; for an empty name, one that is not kept.

        Raises:
            HTTPException: The name is malformed.
        """
        if session_id == "":  # Gradio treats it as no name when it looks up the function, and as a name afterwards
            return Session(self.blocks)
        if not isinstance(session_id, str) or not _WELL_FORMED.fullmatch(session_id):
            raise HTTPException(400, "The session hash is malformed.")
        with self.lock:
            session = self.session_data.get(session_id)
            if not isinstance(session, Session):
                self._make_room()
                session = self.session_data[session_id] = Session(self.blocks)
            self.session_data.move_to_end(session_id)
            self._used[session_id] = self._clock()
            return session

    def update(self, session_id: str) -> None:
        """Do nothing: Gradio bounds its sessions here; `__getitem__` does that instead."""

    def open(self, session_id: str) -> None:
        """Note that a tab or a client has connected."""
        with self.lock:
            self._connections[session_id] += 1
            if session_id in self.session_data:
                self.session_data[session_id].is_closed = False

    def close(self, session_id: str) -> None:
        """Note that a tab or a client has disconnected."""
        with self.lock:
            self._connections[session_id] -= 1
            if self._connections[session_id] <= 0:
                del self._connections[session_id]
                if session_id in self.session_data:
                    self._used[session_id] = self._clock()

    def is_open(self, session_id: str) -> bool:
        return session_id in self._connections

    def is_recent(self, session_id: str, seconds: float) -> bool:
        """Return whether a session is connected, or was used within this many seconds."""
        used = self._used.get(session_id)
        return self.is_open(session_id) or (used is not None and self._clock() - used < seconds)

    def delete_all_expired_state(self) -> None:
        """Delete expired state and idle sessions; Gradio calls this once a second on the event loop."""
        super().delete_all_expired_state()  # type: ignore[no-untyped-call]
        with self.lock:
            idle = [each for each in self.session_data if not self.is_recent(each, IDLE_SECONDS)]
            for session_id in idle:
                self._forget(session_id)
        for sweep in self.swept:
            sweep()

    def _make_room(self) -> None:
        """Drop a session if there are too many: the least recently used one without a connection.

        Those without state, which can be created again, are dropped first.
        """
        if len(self.session_data) - len(self._connections) < MOST_SESSIONS:
            return
        idle = [each for each in self.session_data if not self.is_open(each)]
        untouched = (each for each in idle if self._is_untouched(each))
        oldest = next(untouched, idle[0] if idle else None)
        if oldest is not None:
            self._forget(oldest)

    def _is_untouched(self, session_id: str) -> bool:
        session = self.session_data[session_id]
        return isinstance(session, Session) and session.is_untouched

    def _forget(self, session_id: str) -> None:
        self.delete_state(session_id)
        self.session_data.pop(session_id, None)
        self._used.pop(session_id, None)


class KeepSessions:
    """ASGI middleware that installs `Sessions` before the first answer, and reports connections to them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._sessions: Sessions | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sessions = self._sessions or self._install(scope["app"])
        path = scope["path"] if scope["type"] == "http" else ""
        if not path.startswith(HEARTBEAT):
            await self._app(scope, receive, send)
            return
        session_id = path.removeprefix(HEARTBEAT)
        sessions.open(session_id)
        try:
            await self._app(scope, receive, send)
        finally:
            sessions.close(session_id)

    def _install(self, app: Any) -> Sessions:
        """Replace Gradio's sessions, which every route gets from `app.state_holder`, with ours."""
        assert isinstance(app.state_holder, StateHolder)
        blocks = app.get_blocks()
        app.state_holder = self._sessions = Sessions(blocks)
        sweep = getattr(blocks, "sweep", None)
        if sweep is not None:
            self._sessions.swept.append(sweep)
        return self._sessions
