"""ComfyUI as a library: find it, boot it in this process, and run graphs as streams of events.

With `ltx_studio.pocket` this is the only package that imports ComfyUI or torch, and it does so when it boots.
"""

from ltx_studio.cancel import CancelToken
from ltx_studio.engine.engine import Engine
from ltx_studio.engine.memory import Memory

__all__ = ["CancelToken", "Engine", "Memory"]
