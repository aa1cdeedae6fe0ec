"""The entry point of `python -m ltx_studio`, which is `ltx-studio`."""

from ltx_studio.cli import main

main()
