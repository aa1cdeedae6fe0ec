"""The API's endpoints for downloads of model files."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from ltx_studio.modes import MODES
from ltx_studio.modes.required_models import model_files
from ltx_studio.studio import Download, Models
from ltx_studio.web.access.redaction import Redaction

Json = dict[str, Any]

LONGEST_LIST = 1000


class ModelEndpoints:
    """Downloads belong to the studio, so every client sees the same ones."""

    def __init__(self, models: Models, redaction: Redaction) -> None:
        self._models, self._redaction = models, redaction
        self.at_once = (self.download_models, self.downloads, self.download, self.stop_download)
        """The endpoints that return at once."""

    def download_models(self, model_set: str, request: gr.Request, everything: bool = False) -> Json:  # noqa: ARG002
        """Download the missing files of a model set, with `everything` its LoRAs and control models too."""
        self._redaction.check_may_fetch()
        registry = self._models.store().registry
        chosen = registry.get_set(model_set)
        files = model_files(MODES.values(), chosen, registry, everything=everything)
        download_id = self._models.get(files, chosen.label)
        self._models.work()
        return self._told(self._models.download(download_id))

    def downloads(self, request: gr.Request, limit: int = 20) -> list[Json]:  # noqa: ARG002
        """Return the running download, the waiting ones in their order, then those that ended last."""
        return [self._told(each) for each in self._models.downloads(min(max(limit, 1), LONGEST_LIST))]

    def download(self, download: str, request: gr.Request) -> Json:  # noqa: ARG002
        """Return a download; a failed one has its error."""
        return self._told(self._models.download(download))

    def follow_download(self, download: str, request: gr.Request) -> Iterator[Json]:  # noqa: ARG002
        """Stream a download each time it changes, until it has ended."""
        told: Json = {}
        for _ in self._models.follow(download):
            now = self._told(self._models.download(download))
            if now != told:
                told = now
                yield told

    def stop_download(self, download: str, request: gr.Request) -> Json:  # noqa: ARG002
        """Stop a download; what has been fetched is kept."""
        self._redaction.check_may_fetch()
        return self._told(self._models.cancel(download))

    def _told(self, download: Download) -> Json:
        told = download.as_dict()
        return told | ({"error": self._redaction.told(download.error).as_dict()} if download.error else {})
