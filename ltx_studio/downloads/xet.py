"""Byte streams from Xet, the hub's storage of large files, through `hf_xet`."""

import re
import threading
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from ltx_studio.models.hub_cache import XetFile, hub_constants
from ltx_studio.text.formatting import printable

PIECE = 1 << 20
"""Bytes handed on at once. Xet gives blocks of up to 64 MiB, within which a stop would not be noticed."""

CONFIG: dict[str, Any] = {
    "telemetry.enabled": False,
    # about half a minute without an answer, then HTTP is tried; the defaults are minutes
    "client.connect_timeout": "20s",
    "client.read_timeout": "30s",
    "client.retry_max_attempts": 2,
    # three files at once would buffer gigabytes
    "reconstruction.download_buffer_size": 128 << 20,
    "reconstruction.download_buffer_perfile_size": 128 << 20,
    "reconstruction.download_buffer_limit": 256 << 20,
    "reconstruction.min_prefetch_buffer": 128 << 20,
}
"""Changes to the default settings of `hf_xet`."""

_ADDRESS = re.compile(r"https?://[^\s)]+")


class XetError(Exception):
    """Xet cannot give the bytes, or no more of them."""


class XetStream:
    """The bytes of a file from `offset` on.

    It has a session of its own: after one error a session of `hf_xet` 1.8 refuses everything ("Previous task error").

    Args:
        file: The file.
        size: Its bytes.
        offset: Where to begin.
        headers: The headers that the hub wants, with the user's token; storage gets them without it.
    """

    def __init__(self, file: XetFile, size: int, offset: int, headers: Mapping[str, str]) -> None:
        self._file, self._size, self._offset, self._headers = file, size, offset, dict(headers)
        self._guard = threading.Lock()
        self._group: Any = None
        self._is_over = False

    def __iter__(self) -> Iterator[memoryview]:
        """Yield the bytes in order.

        Raises:
            XetError: There are no more, although the file has not ended.
        """
        have = self._offset
        try:
            for block in self._open():
                view = memoryview(block)
                for start in range(0, len(view), PIECE):
                    yield view[start : start + PIECE]
                have += len(view)
        except (GeneratorExit, KeyboardInterrupt, SystemExit, XetError):
            raise
        except BaseException as error:  # a panic in hf_xet is no Exception
            raise XetError(f"{type(error).__name__}: {_without_address(error)}") from None
        if have < self._size:  # what is unknown to the storage has no bytes, and is no error
            raise XetError(f"only {have:,} of {self._size:,} bytes arrived")

    def abort(self) -> None:
        """End the stream; call it from any thread, also while another one waits for bytes."""
        with self._guard:
            self._is_over = True
            if self._group is not None:
                self._group.abort()

    def _open(self) -> Iterator[bytes]:
        from hf_xet import XetConfig, XetFileInfo, XetSession

        storage = {name: value for name, value in self._headers.items() if name.lower() != "authorization"}
        group = XetSession(XetConfig().with_config(CONFIG)).new_download_stream_group(
            token_refresh_url=self._file.token_url, token_refresh_headers=self._headers, custom_headers=storage
        )
        with self._guard:
            if self._is_over:
                raise XetError("stopped")
            self._group = group
        stream: Iterator[bytes] = group.download_stream(XetFileInfo(self._file.hash, self._size), start=self._offset)
        return stream


def xet_file(found: Any, endpoint: str) -> XetFile | None:
    """Return where a file is in Xet, according to the hub's metadata; None if it is not, or Xet cannot be used.

    Xet is not used if HF_HUB_DISABLE_XET is set, nor if tokens for it come from another host than the hub's: that host
    would learn the user's token.
    """
    data = found.xet_file_data
    if data is None or hub_constants().HF_HUB_DISABLE_XET or find_spec("hf_xet") is None:
        return None
    if not data.refresh_route.startswith(f"{endpoint}/"):
        return None
    return XetFile(data.file_hash, data.refresh_route)


def _without_address(error: BaseException) -> str:
    """Return an error's text without the addresses in it, which may be signed."""
    return printable(_ADDRESS.sub("…", str(error)))[:200]
