"""The studio as a service for the command line, the page and the API."""

from ltx_studio.studio.studio import Studio

__all__ = ["Studio"]
