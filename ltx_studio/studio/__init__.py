"""The studio as a service for the command line, the page and the API."""

from ltx_studio.queue import Failed
from ltx_studio.queue.download import Download
from ltx_studio.studio.models import Models
from ltx_studio.studio.studio import Studio

__all__ = ["Download", "Failed", "Models", "Studio"]
