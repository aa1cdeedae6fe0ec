"""The Hugging Face hub, through `huggingface_hub`: metadata, byte streams, tokens, gated access and errors."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ltx_studio.downloads.xet import XetStream, xet_file
from ltx_studio.errors import DownloadError, GateError, StudioError
from ltx_studio.models.files import ModelFile
from ltx_studio.models.hub_cache import COMMIT, ETAG, REVISION, HubCache, Remote, hub_constants
from ltx_studio.settings import Settings
from ltx_studio.text.formatting import printable

if TYPE_CHECKING:
    import httpx2

_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)

_LONGEST_PAUSE = 300.0
"""Seconds. Longer pauses that a server requests are cut to this."""


class TransientError(Exception):
    """A failure worth retrying, after `pause` seconds if the server asked for that."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


class Hub:
    """The hub from `settings`, or the one that Hugging Face's own tools use.

    Attributes:
        cache: The cache for its files.
        endpoint: Its address.
        name: Its address for display, without a password.
        is_offline: Whether HF_HUB_OFFLINE is set.
    """

    def __init__(self, settings: Settings, cache: HubCache, token: str | None = None) -> None:
        constants = hub_constants()
        self.cache = cache
        self.endpoint = (settings.hub_endpoint or constants.ENDPOINT).rstrip("/")
        self.name = re.sub(r"//[^/@]*@", "//", self.endpoint)
        self.is_offline = constants.is_offline_mode()
        self._timeout = float(constants.HF_HUB_DOWNLOAD_TIMEOUT)
        self._token = token

    def remote(self, file: ModelFile) -> Remote:
        """Return a file's commit, etag and size: one HEAD request.

        Raises:
            TransientError: It may succeed later.
            DownloadError: It will not succeed.
        """
        self._check_endpoint(file)
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        reference = self.cache.reference(file.repo)
        with self.translated(file):
            url = hf_hub_url(file.repo, file.path, revision=REVISION, endpoint=self.endpoint)
            found = get_hf_file_metadata(url, token=self._token, endpoint=self.endpoint)
        commit, etag, size = found.commit_hash or "", found.etag or "", found.size
        if not COMMIT.fullmatch(commit) or not ETAG.fullmatch(etag) or size is None or size < 0:
            raise DownloadError(
                f"{self.name} does not answer like a Hugging Face hub for {file.repo}.",
                "Check HF_ENDPOINT, and the proxy if there is one.",
                where=file.repo,
            )
        address = hf_hub_url(file.repo, file.path, revision=commit, endpoint=self.endpoint)
        return Remote(commit, etag, size, address, reference, time.monotonic(), xet_file(found, self.endpoint))

    def _check_endpoint(self, file: ModelFile) -> None:
        try:
            parts = urlsplit(self.endpoint)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address:
            raise DownloadError(
                f"{self.name} is not the address of a hub, so {file.name} cannot be downloaded.",
                "Set HF_ENDPOINT to a full address, such as https://huggingface.co, or unset it.",
                where=file.repo,
            )

    @contextmanager
    def stream(self, remote: Remote, offset: int) -> "Iterator[httpx2.Response]":
        """GET the bytes from `offset` on. The address is resolved each time, because signed ones expire."""
        from huggingface_hub import get_session
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

        headers = {**build_hf_headers(token=self._token), "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        with get_session().stream("GET", remote.url, headers=headers, timeout=self._timeout) as response:
            if response.is_error:
                response.read()
                hf_raise_for_status(response)
            yield response

    def xet_stream(self, remote: Remote, offset: int) -> XetStream:
        """Return the stream of the bytes from `offset` on of a file that is in Xet."""
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        assert remote.xet is not None
        return XetStream(remote.xet, remote.size, offset, build_hf_headers(token=self._token))

    @contextmanager
    def translated(self, file: ModelFile) -> Iterator[None]:
        """Translate exceptions of `huggingface_hub` into ours.

        Raises:
            TransientError: It may succeed later.
            DownloadError: It will not succeed.
        """
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

        try:
            yield
        except OfflineModeIsEnabled:
            raise offline([file]) from None
        except HfHubHTTPError as error:
            raise self._error_of(error, file) from None
        except UnicodeEncodeError:
            raise GateError(
                "The Hugging Face token contains invalid characters.",
                "Set HF_TOKEN to a token, or unset it.",
                where=file.repo,
            ) from None
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL, ValueError) as error:
            raise DownloadError(
                f"{self.name} cannot be reached for {file.repo}: {printable(str(error))}.",
                "Check the repository's name, HF_ENDPOINT, and the proxy if there is one.",
                where=file.repo,
            ) from None
        except httpx2.TransportError as error:
            raise TransientError(_reason(error)) from None
        except httpx2.HTTPError as error:
            raise DownloadError(
                f"{file.name} could not be downloaded from {self.name}: {_reason(error)}.",
                "Check HF_ENDPOINT, and the proxy if there is one.",
                where=file.repo,
            ) from None

    def _error_of(self, error: Any, file: ModelFile) -> StudioError | TransientError:
        from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError

        response = error.response
        status, host, page = response.status_code, response.request.url.host, f"{self.name}/{file.repo}"
        if status in _TRANSIENT:
            return TransientError(f"{host} responds with {status}", _pause(response.headers))
        if isinstance(error, GatedRepoError):
            return GateError(
                f"{file.repo} requires your consent before you can download {file.name} ({status}).",
                f"Agree to its terms at {page}, then set HF_TOKEN to a token from {self.name}/settings/tokens.",
                where=page,
            )
        if isinstance(error, RepositoryNotFoundError):
            return DownloadError(
                f"There is no repository {file.repo} at {self.name}, or it is private.",
                f"See {page}. If it is private, set HF_TOKEN to a token that may read it.",
                where=page,
            )
        if isinstance(error, EntryNotFoundError) or status == 404:
            return DownloadError(
                f"{file.repo} no longer has {file.path}.",
                f"See {page}/tree/main. A newer version of the studio may know its new name.",
                where=page,
            )
        if status == 401:
            return GateError(
                f"{host} does not accept the token for {file.repo} (401).",
                f"Set HF_TOKEN to a token that may read {page}, or unset a stale one.",
                where=page,
            )
        return DownloadError(
            f"{file.name} could not be downloaded: {host} responds with {status}.",
            f"See {page}, and check the proxy if there is one.",
            where=page,
        )


def _reason(error: Exception) -> str:
    """Return the cause of a failed request in words, without the system's error number."""
    return re.sub(r"^\[Errno -?\d+\] ", "", printable(str(error))) or type(error).__name__


def offline(files: list[ModelFile]) -> DownloadError:
    names = ", ".join(file.name for file in files)
    return DownloadError(
        f"Offline mode is on (HF_HUB_OFFLINE), and {'these files are' if len(files) > 1 else 'this file is'} missing: "
        f"{names}.",
        "Unset HF_HUB_OFFLINE, or put the files into a folder in LTX_STUDIO_MODEL_DIRS.",
    )


def _pause(headers: Mapping[str, str]) -> float:
    """Return the seconds that a server asks to wait: ``Retry-After: 5``, or ``RateLimit: "api";r=0;t=5``."""
    asked = headers.get("Retry-After", "").strip()
    limited = re.search(r"\bt=(\d+)", headers.get("RateLimit", ""))
    seconds = float(asked) if asked.isdigit() else float(limited.group(1)) if limited else 0.0
    return min(seconds, _LONGEST_PAUSE)
