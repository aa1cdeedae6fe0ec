"""The page: `python app.py` serves it, and `import app; app.build_app()` embeds it. A Space starts here: no password is
made for its visitors, and one is asked for only where LTX_STUDIO_PASSWORD is set."""

import sys

from ltx_studio.errors import StudioError
from ltx_studio.permissions import make_private
from ltx_studio.settings import get_settings
from ltx_studio.text.formatting import printable
from ltx_studio.web import build_app, serve

__all__ = ["build_app"]

if __name__ == "__main__":
    make_private()
    try:
        serve(get_settings(), ask=False)
    except StudioError as error:
        sys.exit(printable(f"Error: {error.message} {error.hint}"))
