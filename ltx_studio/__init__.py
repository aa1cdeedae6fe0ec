"""LTX 2.3 Studio: video with sound from a prompt, run by ComfyUI as a library."""

__version__ = "0.2.0"
