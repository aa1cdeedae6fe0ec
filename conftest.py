"""Options, order and fixtures that all test folders share."""

import gc
import os
import sys
from pathlib import Path

pytest_plugins = ["tests.fixtures", "tests.studios", "tests.shop"]
"""Fixtures: a studio home of the tests' own, and one booted engine for the whole session."""

gc.disable()
"""Collecting tests makes many objects and frees none; `pytest_collection_finish` turns this on again."""

BYTECODE = Path(__file__).parent / ".pytest_cache" / "bytecode"

if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    # Compiling torch, Gradio and ComfyUI again takes longer than most tests that start a process: where nothing may be
    # written beside the sources, as in many containers, tests keep what is compiled in a folder of their own.
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(BYTECODE)
    sys.dont_write_bytecode = False
