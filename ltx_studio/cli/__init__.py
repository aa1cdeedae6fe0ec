"""The command line. Nothing heavy is imported before a command needs it."""

from ltx_studio.cli.commands import main

__all__ = ["main"]
