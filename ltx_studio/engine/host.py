"""What stands where ComfyUI's server would be: takes its messages and hands them to the run that is on."""

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
        """Nodes tell the editor about sizes and the like; nothing here shows it."""

    def queue_updated(self) -> None:
        """The editor's queue display; there is none."""


class _PromptQueue:
    def get_flags(self, reset: bool = True) -> dict[str, Any]:
        return {}
