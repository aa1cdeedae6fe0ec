"""Serves Gradio's own files from memory: a browser requests a hundred of them before it shows anything."""

import mimetypes
from functools import lru_cache
from pathlib import Path

from gradio.route_utils import BUILD_PATH_LIB
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ltx_studio.web.access.owners import is_loopback
from ltx_studio.web.gradio_compat.frontend_patch import patched

PREFIX = "/assets/"
FOREVER = "public, max-age=31536000, immutable"
"""Gradio names these files by their contents, yet lets browsers request each of them again."""


class Statics:
    """ASGI middleware that serves these files; Gradio would read each again from disk. They are not secret."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._known = frozenset(each.name for each in Path(BUILD_PATH_LIB).iterdir() if each.is_file())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["path"] if scope["type"] == "http" and scope["method"] == "GET" else ""
        name = asked.removeprefix(PREFIX) if asked.startswith(PREFIX) else ""
        if name not in self._known:  # only known names, so that no path leads out of the folder
            await self._app(scope, receive, send)
            return
        headers = {"cache-control": FOREVER}
        if scope["client"] and is_loopback(scope["client"][0]):
            headers["content-encoding"] = "identity"  # stops Gradio compressing it, which is slower on this machine
        kind = mimetypes.guess_type(name)[0]
        await Response(_read(name), headers=headers, media_type=kind)(scope, receive, send)


@lru_cache(maxsize=2048)
def _read(name: str) -> bytes:
    return patched(name, (Path(BUILD_PATH_LIB) / name).read_bytes())
