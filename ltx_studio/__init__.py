"""LTX 2.3 Studio: video with sound from a prompt, run by ComfyUI as a library."""

__version__ = "0.1.0"
