"""The page: `python app.py` serves it, and `import app; app.build_app()` embeds it.

A Space starts here: set-up runs if ComfyUI is missing, no password is made for visitors, and one is required only if
LTX_STUDIO_PASSWORD is set. On ZeroGPU, each visitor's runs use a GPU that is lent to them.
"""

import os
import subprocess
import sys
from importlib.util import find_spec

if find_spec("spaces") is not None:
    import spaces  # noqa: F401  first: nothing may touch CUDA before it

from ltx_studio.cli.hints import hint_of
from ltx_studio.errors import SetupError, StudioError
from ltx_studio.permissions import make_private
from ltx_studio.settings import Settings, get_settings
from ltx_studio.studio.set_up import installed_comfyui
from ltx_studio.studio.space import is_zerogpu, open_on_zerogpu
from ltx_studio.text.formatting import printable
from ltx_studio.web import build_app, serve

__all__ = ["build_app"]


def set_up(settings: Settings) -> None:
    """Fetch ComfyUI and store the pocket model if ComfyUI is missing. If that fails, the page says what to do.

    Set-up runs in a separate process: it boots ComfyUI, and the page boots it again.
    """
    if settings.comfy_dir is not None:
        return
    try:
        installed_comfyui(settings)
    except SetupError:
        subprocess.run([sys.executable, "-m", "ltx_studio", "setup"], check=False)


if __name__ == "__main__":
    make_private()
    try:
        set_up(get_settings())
        studio = open_on_zerogpu(get_settings()) if is_zerogpu(os.environ) else None
        serve(get_settings(), ask=False, studio=studio)
    except StudioError as error:
        sys.exit(printable(f"Error: {error.message} {hint_of(error)}"))
