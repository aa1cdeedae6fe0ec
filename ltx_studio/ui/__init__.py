"""The page, made with Gradio."""

from ltx_studio.ui.server import build_app, serve

__all__ = ["build_app", "serve"]
