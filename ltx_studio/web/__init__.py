"""The page, made with Gradio."""

from ltx_studio.garbage import uncollected
from ltx_studio.web.gradio_compat.light import no_files_of_types

with uncollected(), no_files_of_types():
    from ltx_studio.web.server import build_app, serve

__all__ = ["build_app", "serve"]
