"""A stand-in for ComfyUI's server: receives its messages and passes them to the current run."""

from collections.abc import Callable
from typing import Any

Listener = Callable[[str, dict[str, Any]], None]


class Host:
    """The part of `server.PromptServer` that the executor, its progress registry and the nodes use."""

    def __init__(self, node_replace_manager: Any) -> None:
        self.client_id: str | None = None
        self.last_node_id: str | None = None
        self.last_prompt_id: str | None = None
        self.sockets_metadata: dict[str, Any] = {}
        self.prompt_queue = _PromptQueue()
        self.node_replace_manager = node_replace_manager
        self.listener: Listener | None = None

    def send_sync(self, event: Any, data: Any, sid: str | None = None) -> None:
        if self.listener is not None and isinstance(event, str) and isinstance(data, dict):
            self.listener(event, data)

    def send_progress_text(self, text: Any, node_id: Any, sid: str | None = None) -> None:
        """Ignore the texts that nodes send to the editor about sizes and the like."""

    def queue_updated(self) -> None:
        """Ignore updates of the editor's queue display."""


class _PromptQueue:
    def get_flags(self, reset: bool = True) -> dict[str, Any]:
        return {}
