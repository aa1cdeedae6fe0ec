"""The command line. Nothing heavy is imported before a command needs it."""

import sys


def main() -> None:
    """The entry point of `ltx-studio`; a Ctrl+C while it is still loading ends without a traceback."""
    try:
        from ltx_studio.cli import commands

        commands.main()
    except KeyboardInterrupt:
        sys.exit(1)
