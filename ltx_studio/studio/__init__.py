"""The studio as a service: what the command line, the page and the API call."""

from ltx_studio.studio.studio import Studio

__all__ = ["Studio"]
