"""Runners: they carry jobs to an engine."""

from ltx_studio.runners.local import LocalRunner

__all__ = ["LocalRunner"]
