"""What the page is made of: its head, its styles and their contrast, and how much of it a browser loads."""

import gzip
import re
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest

from ltx_studio.web import words
from ltx_studio.web.gradio_compat.document import with_head
from ltx_studio.web.gradio_compat.frontend_patch import LOST
from ltx_studio.web.head import FONTS, SCRIPTS, head, icon_path
from ltx_studio.web.theme import STYLES, theme

MOST_BYTES = 60_000
"""Of our scripts and styles, compressed."""
ASSETS = files("ltx_studio.web") / "assets"


def test_our_scripts_and_styles_are_small() -> None:
    others = {each.name for each in ASSETS.iterdir() if each.name.endswith((".js", ".css"))} - {*SCRIPTS, *STYLES}
    ours = head() + "".join((ASSETS / name).read_text(encoding="utf-8") for name in sorted(others))

    assert len(gzip.compress(ours.encode())) < MOST_BYTES


@pytest.mark.parametrize("name", STYLES)
def test_a_sheet_ends_what_it_begins(name: str) -> None:
    """All rules of the page are within one other: an odd brace would end that."""
    text = (ASSETS / name).read_text(encoding="utf-8")

    assert text.count("{") == text.count("}")


GRADIOS = (
    b'<head><meta property="og:title" content="Gradio" />\n<meta\n property="og:image"\n content="https://x/y.jpg"\n/>'
    b'<meta name="twitter:creator" content="@Gradio" /><meta name="viewport" content="width=device-width" />'
    b'<script>window.gradio_config = {"a": "<meta property=\\"og:title\\">"};</script></head>'
)


def test_a_shared_address_shows_the_studio() -> None:
    page = with_head(GRADIOS, head().encode()).decode()
    begin, _, config = page.partition("<script>window.gradio_config")

    assert 'content="Gradio"' not in begin
    assert "@Gradio" not in begin
    assert "x/y.jpg" not in begin
    assert f'<meta property="og:title" content="{words.TITLE}">' in begin
    assert words.ABOUT_CARD in begin
    assert f'<meta name="{LOST}" content="{words.LOST_SERVER}">' in begin, (
        "what the patched script says without a server"
    )
    assert '<meta name="viewport"' in begin
    assert "og:title" in config
    assert with_head(b"<title>Log in</title>", b"ours") == b"<title>Log in</title>"
    assert Path(icon_path()).suffix == ".svg"


def test_the_fonts_that_are_loaded_at_once_are_those_of_the_page() -> None:
    asked = re.findall(r"url\('(static/fonts/[^']+)'\)", "".join(map(str, theme()._font_css)))

    assert {*FONTS} == {each for each in asked if "Mono" not in each}
    assert all(f'href="{each}" crossorigin' in head() for each in FONTS)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


EDGES = "input_border_color", "checkbox_border_color", "button_secondary_border_color", "button_cancel_border_color"


@pytest.mark.parametrize("system", ["", "_dark"])
def test_edges_and_hints_are_seen_whatever_the_system_prefers(system: str) -> None:
    look = theme()

    def colour(name: str) -> str:
        value = str(getattr(look, f"{name}{system}"))
        return str(getattr(look, value.removeprefix("*"))) if value.startswith("*") else value

    weak = {
        (edge, ground): ratio
        for edge, ground in product(EDGES, ("body_background_fill", "block_background_fill"))
        if (ratio := contrast(colour(edge), colour(ground))) < 3
    }
    assert weak == {}
    assert contrast(colour("input_placeholder_color"), colour("input_background_fill")) >= 4.5
    assert contrast(colour("block_info_text_color"), colour("block_background_fill")) >= 4.5
    for row in ("even", "odd"):  # the names of files
        assert contrast(colour("body_text_color"), colour(f"table_{row}_background_fill")) >= 4.5
