"""The page: `python app.py` serves it, and `import app; app.build_app()` embeds it. A Space starts here: no password is
made for its visitors, and one is asked for only where LTX_STUDIO_PASSWORD is set."""

from ltx_studio.settings import get_settings
from ltx_studio.ui import build_app, serve

__all__ = ["build_app"]

if __name__ == "__main__":
    serve(get_settings(), ask=False)
