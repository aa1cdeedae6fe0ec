"""The small clips that the page's examples show, and what serves them."""

import re
from importlib.resources import files
from pathlib import Path

from starlette.responses import FileResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ltx_studio.modes import Mode
from ltx_studio.modes.examples import Example

CLIPS = Path(str(files("ltx_studio.web"))) / "assets" / "examples"
"""Where they are; `tools/example_clips.py` makes them."""
PREFIX = "/examples/"
A_DAY = 86_400


def clip_name(mode: Mode, example: Example) -> str:
    """Return the file name of an example's clip."""
    return f"{_name(mode, example)}.mp4"


def poster_name(mode: Mode, example: Example) -> str:
    """Return the file name of the clip's first frame."""
    return f"{_name(mode, example)}.webp"


def _name(mode: Mode, example: Example) -> str:
    return f"{mode.id}-{re.sub(r'[^a-z0-9]+', '-', example.label.lower())}"


class ExampleClips:
    """ASGI middleware that serves these files, with ranges, which some browsers require. They are not secret."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._known = {PREFIX + each.name: each for each in CLIPS.iterdir()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_read = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        path = self._known.get(scope["path"]) if is_read else None  # only known names
        if path is None:
            await self._app(scope, receive, send)
            return
        headers = {
            "cache-control": f"max-age={A_DAY}",
            "content-encoding": "identity",
        }  # they are packed; Gradio would pack them again
        await FileResponse(path, headers=headers)(scope, receive, send)
