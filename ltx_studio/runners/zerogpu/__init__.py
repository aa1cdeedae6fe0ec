"""Runs on Hugging Face ZeroGPU: each run in a process that the platform forks, on a GPU that it lends for the run.

The platform's package, `spaces`, is imported by `call.py` only, and `call.py` by a `ZeroGPURunner` only.
"""

from ltx_studio.runners.zerogpu.runner import ZeroGPURunner

__all__ = ["ZeroGPURunner"]
