"""What of the page is not in the catalogue, for tests in the pseudo-language."""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, get_args

from ltx_studio.modes import COMFYUI_NAMES, MODES, Params
from tests.pseudo_language import unspoken

_ENDINGS = "json|txt|csv|tsv|jsonl|mp4|safetensors|png|webp|wav|toml"
NOT_TRANSLATED = {
    "names": r"LTX 2\.3 Studio|LTX-?2?[ -]?2?\.3|ComfyUI|Kijai|LoRAs?|CPU|GPU|RAM|VRAM|PyPI|JSON",
    "versions": r"Python [\d.]+|(gradio|torch) [\d.+\w]+|Linux \w+",
    "numbers with units": r"\d+(\.\d+)? ?([kMGT]?B|bytes|s|min|h|fps|Hz|px)\b|\d+[×x]\d+",
    "file names, addresses": rf"\b\w+\.({_ENDINGS})\b|\.({_ENDINGS})\b|https?://\S+",
    "commands, variables and keys": r"LTX_STUDIO_\w+|`[^`]*`|Ctrl|Esc|Enter|Space|\bF\b|\bM\b",
    "Gradio's own, which follow the browser": r"(number|range slider|slider) input for|Click to upload or drop files",
    "names of ComfyUI, each alone": "|".join(
        rf"^{name}$"
        for field in Params.model_fields.values()
        if COMFYUI_NAMES in field.metadata
        for name in get_args(field.annotation)
    ),
    "prompts, which the models understand in English": "|".join(
        re.escape(prompt)
        for mode in MODES.values()
        for prompt in (*(each.values["prompt"] for each in mode.examples), mode.placeholder)
    ),
}
"""What may be shown without brackets: patterns, by what they are."""
LABELS = ("label", "info", "placeholder", "value", "html_template", "choices", "headers", "title", "says", "examples")
"""The properties of Gradio's components that are shown."""
HIDDEN = ("filling", "found", "changed", "once", "retried", "news")
SHOWN = (
    "aria-label",
    "title",
    "alt",
    "placeholder",
    "data-label",
    "data-say",
    "data-title",
    "data-drop",
    "data-cancel",
)
WORD = re.compile(r"[A-Za-z]{3,}")


class Reader(HTMLParser):
    """Collects what a document shows and what its controls are called."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within.append(tag)
        self.found += [value for name, value in attrs if value and (name in SHOWN or name.startswith("data-says"))]

    def handle_endtag(self, tag: str) -> None:
        if tag in self._within:
            del self._within[len(self._within) - 1 - self._within[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if not {"script", "style", "code", "kbd", "pre", "q", "svg"} & {*self._within} and data != "${value}":
            self.found.append(data)


def english(text: str) -> str:
    """Return what a text, plain or HTML, shows outside of the brackets that is not among the exceptions."""
    reader = Reader()
    reader.feed(text)
    return " | ".join(filter(None, map(plain, reader.found)))


def plain(text: str) -> str:
    """Return what a plain text shows outside of the brackets that is not among the exceptions."""
    left = unspoken(text)
    for pattern in NOT_TRANSLATED.values():
        left = re.sub(pattern, "", left)
    return left.strip() if WORD.search(left) else ""


def texts_of(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for name, each in value.items():
                if name not in ("id", "kind", "act", "key"):
                    yield from texts_of(each)
        case list() | tuple():
            for each in value:
                yield from texts_of(each)
