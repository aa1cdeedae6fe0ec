"""Runners execute one job; the worker takes jobs from the queue and hands them to a runner."""

from ltx_studio.runners.local import LocalRunner
from ltx_studio.runners.protocol import Cost, Runner

__all__ = ["Cost", "LocalRunner", "Runner"]
