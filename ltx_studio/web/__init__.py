"""The page, made with Gradio."""

import gc

from ltx_studio.web.gradio_compat.light import no_files_of_types

_was_on = gc.isenabled()
gc.disable()  # importing Gradio creates many objects and frees few: collecting garbage takes a tenth of the time
try:
    with no_files_of_types():
        from ltx_studio.web.server import build_app, serve
finally:
    if _was_on:
        gc.enable()

__all__ = ["build_app", "serve"]
