"""The studio's Gradio app: the checks that run before everything that Gradio answers."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from gradio.routes import App, ORJSONResponse
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from ltx_studio.web.access.bodies import Bodies
from ltx_studio.web.access.headers import SecurityHeaders
from ltx_studio.web.access.origins import Hosts, Origins

BELIEVED = "FORWARDED_ALLOW_IPS"
"""uvicorn's variable: the peers whose forwarded headers say who a client is."""


class StudioApp(App):
    """Gradio's app, whose own middleware (CORS, compression) runs after the studio's checks.

    Middleware that is passed to Gradio runs after Gradio's own, which would answer other sites' preflights before any
    check.

    Args:
        middleware: Runs after the checks and Gradio's own.
        hosts: The hosts at which the page may be opened.
    """

    def __init__(self, middleware: Sequence[Middleware], hosts: Hosts) -> None:
        super().__init__(middleware=middleware, default_response_class=ORJSONResponse)
        self._hosts = hosts

    def build_middleware_stack(self) -> ASGIApp:
        """Return Gradio's stack with the checks in front."""
        return SecurityHeaders(Origins(Bodies(super().build_middleware_stack()), self._hosts))


@contextmanager
def believing(proxies: Iterable[str]) -> Iterator[None]:
    """Have a server that starts in this block trust forwarded addresses from these proxies only.

    Gradio has no such option, and uvicorn trusts any peer that connects from 127.0.0.1 unless its variable says
    otherwise.

    Args:
        proxies: IP addresses and networks.
    """
    before = os.environ.get(BELIEVED)
    os.environ[BELIEVED] = ",".join(proxies)
    try:
        yield
    finally:
        if before is None:
            del os.environ[BELIEVED]
        else:
            os.environ[BELIEVED] = before
