"""The page as a `gradio.Blocks`: how it is launched, what stands before it, and how its events are processed."""

import logging
import os
from collections.abc import Callable
from typing import Any

import gradio as gr
from anyio import CapacityLimiter
from gradio.block_function import BlockFunction
from starlette.middleware import Middleware

from ltx_studio import limits, sandbox
from ltx_studio.settings import LOOPBACK, Settings
from ltx_studio.studio.space import is_zerogpu
from ltx_studio.web.access.answers import AnswerErrors, Answers, not_understood, refusing, unasked
from ltx_studio.web.access.front import StudioApp, believing
from ltx_studio.web.access.gate import Gate, Throttle, check_of
from ltx_studio.web.access.guard import Files, KeepFiles, handed_out
from ltx_studio.web.access.origins import Hosts
from ltx_studio.web.access.owners import GiveCookie, Owners, is_loopback
from ltx_studio.web.access.values import check_body, check_inputs, check_values, filled
from ltx_studio.web.example_clips import ExampleClips
from ltx_studio.web.gradio_compat.document import Document
from ltx_studio.web.gradio_compat.event_queue import EventKeeper
from ltx_studio.web.gradio_compat.sessions import KeepSessions
from ltx_studio.web.gradio_compat.statics import Statics
from ltx_studio.web.head import head, icon_path
from ltx_studio.web.theme import theme

MOST_EVENTS = 200
"""The most events that may wait on a Space that borrows GPUs."""

MOST_THREADS = 256
"""Threads for handlers. Each call of the API that waits for its clip keeps one busy; with Gradio's 40, more calls than
that would make every other handler wait for one."""

MOST_AT_ONCE = 2_000
"""Events that are processed at the same time. Each tab that follows a run has one, which holds no thread
(`gradio_compat/streams.py`); with more tabs than that, every other event would wait for one of them to end."""


class StudioBlocks(gr.Blocks):
    """A Blocks that always launches with the studio's look, and keeps its visitors' files apart."""

    def __init__(self, settings: Settings, owners: Owners, **options: Any) -> None:
        super().__init__(**options)
        self.owners, self.answers = owners, Answers(settings, owners)
        self.files = Files()
        self.password = ""
        self.warn: Callable[[], str] = str
        self.allowed_hosts: tuple[str, ...] = ()
        self.trusted_proxies: tuple[str, ...] = ()

    def queue(self, *args: Any, **options: Any) -> Any:
        """Set up the queue as Gradio does, which calls this itself; a second call would cost 2 % of the start-up."""
        # Gradio's own limit is 1 on ZeroGPU
        usual = {"default_concurrency_limit": None} | ({"max_size": MOST_EVENTS} if is_zerogpu(os.environ) else {})
        super().queue(*args, **(usual | options))
        self.sweep = EventKeeper(self, check_body).sweep
        return self

    def get_config_file(self) -> Any:
        """Return Gradio's configuration without the bar of pages, which `gr.Navbar(visible=False)` would not hide."""
        config = super().get_config_file()
        config["pages"] = config["pages"][:1]
        return config

    def launch(self, *args: Any, **options: Any) -> Any:
        """Launch as Gradio does; a password, if set, is required on this machine too."""
        sandbox.use_child_processes()
        share = is_shared(options.get("share"))
        self.owners.apart = is_open(server_name=options.get("server_name"), share=share)
        self.owners.guarded = bool(self.password or options.get("auth"))
        hosts = Hosts.of_server(options.get("server_name"), self.allowed_hosts, lambda: self.share_url)
        proxies = (*self.trusted_proxies, *([LOOPBACK] if share else []))  # where Gradio's tunnel connects from
        middleware = [
            Middleware(AnswerErrors),
            Middleware(KeepSessions),
            Middleware(Statics),
            Middleware(ExampleClips),
            Middleware(GiveCookie, owners=self.owners),
            Middleware(KeepFiles, owners=self.owners, files=self.files),
            Middleware(Document, head=head()),
        ]
        look: dict[str, Any] = {
            "theme": theme(),
            "favicon_path": icon_path(),
            "footer_links": [],
            "run_history": False,
            "max_file_size": limits.UPLOAD.most,
            "share": share,  # explicit, because Gradio shares on its own in a notebook
            "max_threads": MOST_AT_ONCE,  # of Gradio's queue; see `create_limiter`
            "num_workers": 0,  # workers would serve files and accept uploads on separate ports, without our checks
            "_frontend": False,  # otherwise it requests the page again, and reads a 3 s delay as no network
        }
        if self.password and options.get("auth") is None:
            look["auth"] = check_of(self.password)
            middleware.insert(5, Middleware(Gate, throttle=Throttle()))
        look["_app"] = StudioApp(middleware, hosts)
        with believing(proxies):
            return super().launch(*args, **(look | options))

    def create_limiter(self) -> None:
        """Limit the threads of handlers, for which Gradio has the same number as for its queue."""
        self.limiter: CapacityLimiter | None = CapacityLimiter(MOST_THREADS)  # type: ignore[assignment]

    def close(self, *args: Any, **options: Any) -> None:
        """Close as Gradio does, but cut the connections of open tabs, for which Gradio waits five seconds.

        uvicorn's messages about that help nobody, so they are suppressed.
        """
        told = logging.getLogger("uvicorn.error")
        was_off, told.disabled = told.disabled, True
        try:
            if self.is_running and self.server is not None:
                self.server.force_exit = True
            super().close(*args, **options)
        finally:
            told.disabled = was_off

    async def process_api(self, *args: Any, **named: Any) -> dict[str, Any]:
        """Process an event as Gradio does, after checking what the client sends.

        Where owners are apart, accept only files of the event's owner, and let the owner have those in the answer.
        """
        request, block_fn = named.get("request"), named.get("block_fn")
        with self.answers.answering(str(getattr(block_fn, "name", "an event")), seldom_to=unasked(block_fn, request)):
            if isinstance(request, list):  # the client declares a batch, which no function here accepts
                raise not_understood()
            if not isinstance(request, gr.Request) or not isinstance(block_fn, BlockFunction):
                return await super().process_api(*args, **named)
            check_inputs(block_fn.inputs, named.get("inputs"))
            check_values(getattr(named.get("event_data"), "_data", None))
            if not self.owners.apart:
                return await super().process_api(*args, **named)
            owner = self.owners.of(request)
            self.files.check(named.get("inputs"), owner)
            answer = await super().process_api(*args, **named)
            for path in handed_out(block_fn.outputs, answer):
                self.files.give(path, owner)
            return answer

    async def call_function(
        self, block_fn: Any, processed_input: list[Any], iterator: Any = None, *args: Any, **named: Any
    ) -> Any:
        """Call a handler as Gradio does; show what it raises on the card among its outputs, if there is one."""
        try:
            return await super().call_function(block_fn, processed_input, iterator, *args, **named)
        except gr.Error:
            raise
        except Exception as error:
            if (shown := self.answers.on_card(block_fn, iterator, error)) is None:
                raise
            return shown

    async def preprocess_data(self, block_fn: BlockFunction, inputs: list[Any], *args: Any, **named: Any) -> Any:
        """Preprocess as Gradio does, but without printing a traceback for values that do not fit the components."""
        with refusing():
            return await super().preprocess_data(block_fn, filled(block_fn.inputs, inputs), *args, **named)


def is_shared(share: object = None) -> bool:
    """Return whether Gradio opens a tunnel to the page."""
    return bool(share) or os.environ.get("GRADIO_SHARE", "").lower() == "true"


def is_open(*, server_name: str | None = None, share: object = None) -> bool:
    """Return whether other machines can reach a page that is launched with these arguments."""
    return is_shared(share) or not is_loopback(server_name or os.environ.get("GRADIO_SERVER_NAME"))
