"""The page: `python app.py` serves it, and `import app; app.build_app()` embeds it."""

from ltx_studio.settings import get_settings
from ltx_studio.ui import build_app, serve

__all__ = ["build_app"]

if __name__ == "__main__":
    serve(get_settings())
