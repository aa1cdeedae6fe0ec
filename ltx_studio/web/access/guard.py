"""Keeps uploads and served files private to their owners: Gradio serves its cache to anyone who knows the address."""

import json
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from gradio.blocks import Block
from gradio.components import HTML, JSON, State
from gradio.components.api_component import Api
from gradio.data_classes import GradioModel, GradioRootModel
from gradio.utils import get_upload_folder
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ltx_studio.errors import RequestError
from ltx_studio.web import words
from ltx_studio.web.access.owners import Owners

FILE = "/gradio_api/file=", "/gradio_api/file/"
UPLOAD = "/gradio_api/upload"
EVERYBODY = ""
SWEEP_AT = 10_000
_ADDRESS = re.compile(r'="gradio_api/file=([^"]+)"')


class Files:
    """The owners that may have each file, as long as the server runs. A file may have several."""

    def __init__(self) -> None:
        self._owners: dict[str, set[str]] = {}
        self._lock = threading.Lock()
        self._sweep_at = SWEEP_AT

    def give(self, path: str | Path, owner: str) -> None:
        """Allow `owner` the file from now on; EVERYBODY allows it to all."""
        with self._lock:
            self._owners.setdefault(_key(path), set()).add(owner)
            if len(self._owners) > self._sweep_at:
                self._owners = {key: owners for key, owners in self._owners.items() if Path(key).exists()}
                self._sweep_at = max(SWEEP_AT, 2 * len(self._owners))

    def give_all(self, value: Any, owner: str) -> None:
        """Allow `owner` every file anywhere in a value that Gradio is about to send."""
        for path in paths_in(value):
            self.give(path, owner)

    def may(self, path: str | Path, owner: str) -> bool:
        owners = self._owners.get(_key(path), set())
        return owner in owners or EVERYBODY in owners

    def check(self, value: Any, owner: str) -> None:
        """Check the files in a value that a client sent.

        Raises:
            RequestError: The value names a file in Gradio's cache that is not the owner's.
        """
        cache = _key(get_upload_folder())
        for path in paths_in(value):
            if Path(_key(path)).is_relative_to(cache) and not self.may(path, owner):
                raise RequestError(words.NOT_YOURS, words.NOT_YOURS_HINT)


class KeepFiles:
    """ASGI middleware that, where owners are apart, notes the owner of each upload and refuses other owners' files."""

    def __init__(self, app: ASGIApp, owners: Owners, files: Files) -> None:
        self._app, self._owners, self._files = app, owners, files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._owners.apart:
            await self._app(scope, receive, send)
            return
        owner = self._owners.of_scope(scope)
        asked = next((scope["path"].removeprefix(each) for each in FILE if scope["path"].startswith(each)), None)
        if asked is not None and not self._files.may(asked, owner):
            await JSONResponse({"detail": "File not allowed."}, status_code=403)(scope, receive, send)
        elif scope["path"].rstrip("/") == UPLOAD:
            await self._app(scope, receive, self._noting(owner, send))
        else:
            await self._app(scope, receive, send)

    def _noting(self, owner: str, send: Send) -> Send:
        """Return a `send` that notes the owner of each path in the answer, which is a list of the uploads' paths."""
        body = bytearray()

        async def note(message: Message) -> None:
            if message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    for path in _uploaded(bytes(body)):
                        self._files.give(path, owner)
            await send(message)

        return note


def handed_out(components: Sequence[Block], answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of the files that an answer shows.

    Plain JSON is skipped: it is from a recipe or a workflow that somebody wrote, and may name any path.
    """
    for component, value in zip(components, answer.get("data") or (), strict=False):
        if isinstance(component, Api):
            if isinstance(value, Mapping) and "meta" in value and isinstance(value.get("path"), str):
                yield value["path"]
        elif isinstance(component, HTML):
            yield from addressed_in(value)
        elif not isinstance(component, JSON | State):
            yield from paths_in(value)
    yield from paths_in(answer.get("render_config"))


def addressed_in(value: Any) -> Iterator[str]:
    """Yield the paths of the files that our HTML shows. Visitors' text is escaped there, so it contains no quotes."""
    if isinstance(value, str):
        yield from (unquote(unescape(found)) for found in _ADDRESS.findall(value))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from addressed_in(each)


def paths_in(value: Any) -> Iterator[str]:
    """Yield the paths of the files (`gradio.FileData`) anywhere in a value."""
    if isinstance(value, GradioModel | GradioRootModel):
        value = value.model_dump()
    if isinstance(value, Mapping):
        if isinstance(value.get("path"), str):
            yield value["path"]
        for each in value.values():
            yield from paths_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from paths_in(each)


def _uploaded(body: bytes) -> list[str]:
    try:
        told = json.loads(body)
    except ValueError:  # the text of an error
        return []
    return [each for each in told if isinstance(each, str)] if isinstance(told, list) else []


def _key(path: str | Path) -> str:
    return os.path.realpath(path)
