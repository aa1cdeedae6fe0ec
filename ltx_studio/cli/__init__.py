"""The command line. Nothing heavy is imported before a command needs it."""

import sys


def main() -> None:
    """Run `ltx-studio`; Ctrl+C while it is still loading ends it without a traceback."""
    try:
        from ltx_studio.cli import commands

        commands.main()
    except KeyboardInterrupt:
        sys.exit(1)
