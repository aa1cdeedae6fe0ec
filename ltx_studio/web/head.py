"""The page's head: our styles and scripts, the icon, and what is shown where somebody shares the address."""

import os
from html import escape
from importlib.resources import files

from ltx_studio.web import words
from ltx_studio.web.files import asset
from ltx_studio.web.gradio_compat.frontend_patch import LOST
from ltx_studio.web.theme import styles

SCRIPTS = (
    "loading.js", "dom.js", "announcer.js", "files.js", "drop.js", "own_kept.js", "own.js", "studio.js", "sound.js",
    "focus.js", "screen.js", "examples.js", "prompt.js", "keys.js", "forms.js", "loras.js", "help.js",
)  # fmt: skip
"""The scripts of the page's head, in `assets`."""

FONTS = tuple(f"static/fonts/IBMPlexSans/IBMPlexSans-{weight}.woff2" for weight in ("Regular", "Bold"))
"""Loaded at once: what is drawn in another font before would move when they come."""


def head() -> str:
    """Return the HTML that the page's head begins with."""
    title, about = escape(words.TITLE), escape(words.ABOUT_CARD)
    card = "".join(
        f'<meta property="og:{name}" content="{value}">'
        for name, value in {"title": title, "description": about, "type": "website", "site_name": title}.items()
    )
    fonts = "".join(f'<link rel="preload" as="font" type="font/woff2" href="{each}" crossorigin>' for each in FONTS)
    return (
        f'<title>{title}</title><meta name="description" content="{about}">{card}'
        f'<meta name="{LOST}" content="{escape(words.LOST_SERVER)}">'
        '<meta name="twitter:card" content="summary"><meta name="theme-color" content="#1A1F26">'
        '<link rel="icon" type="image/svg+xml" href="favicon.ico">'
        f"{fonts}"
        f"<style>{styles()}{room()}</style><script>{''.join(map(asset, SCRIPTS))}</script>"
    )


def icon_path() -> str:
    """Return the path of the page's icon."""
    return str(files("ltx_studio.web") / "assets" / "icon.svg")


def room() -> str:
    """Return a CSS rule that leaves room for Hugging Face's header on a Space; elsewhere an empty text."""
    return ":root { --room: 3rem; }" if os.environ.get("SPACE_ID") else ""
