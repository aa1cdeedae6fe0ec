"""`python -m ltx_studio` is `ltx-studio`."""

from ltx_studio.cli import main

main()
