"""The page: `python app.py` serves it, and `import app; app.build_app()` embeds it.

A Space starts here: the page opens at once and shows the set-up's progress if ComfyUI is missing, no password is made
for visitors, and one is required only if LTX_STUDIO_PASSWORD is set. On ZeroGPU, each visitor's runs use a GPU that is
lent to them.
"""

import os
import sys
from importlib.util import find_spec

if find_spec("spaces") is not None:
    import spaces  # noqa: F401  first: nothing may touch CUDA before it

from ltx_studio.cli.hints import hint_of
from ltx_studio.errors import StudioError
from ltx_studio.models.preloaded import with_writable_cache
from ltx_studio.permissions import make_private
from ltx_studio.settings import get_settings
from ltx_studio.studio.space import is_zerogpu, open_on_zerogpu
from ltx_studio.text.formatting import printable
from ltx_studio.web import build_app, serve

__all__ = ["build_app"]


if __name__ == "__main__":
    make_private()
    try:
        settings = with_writable_cache(get_settings()) if os.environ.get("SPACE_ID") else get_settings()
        studio = open_on_zerogpu(settings) if is_zerogpu(os.environ) else None
        serve(settings, ask=False, studio=studio, sets_up=settings.comfy_dir is None)
    except StudioError as error:
        sys.exit(printable(f"Error: {error.message} {hint_of(error)}"))
    except OSError as error:
        sys.exit(printable(f"Error: The studio's folder cannot be used: {error}. Set LTX_STUDIO_HOME to another one."))
