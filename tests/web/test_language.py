"""Every text of the page is in the catalogue: in the pseudo-language nothing is left in English."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.advice import Advice
from ltx_studio.engine import Engine
from ltx_studio.errors import StudioError
from ltx_studio.modes import MODES
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.text.catalogue import Template, parameters, translated
from ltx_studio.web import build_app, cards, words
from ltx_studio.web.access.answers import as_gradio_error
from ltx_studio.web.access.gate import login_page
from ltx_studio.web.gradio_compat.document import with_head
from ltx_studio.web.hints import WORDS
from tests import pseudo_language
from tests.pseudo_language import spoken, unspoken
from tools.messages import messages

_ENDINGS = "json|txt|csv|tsv|jsonl|mp4|safetensors|png|webp|wav|toml"
NOT_TRANSLATED = {
    "names": r"LTX-?2?[ -]?2?\.3|LTX Studio|ComfyUI|Gradio|Lightricks|Kijai|LoRAs?|CPU|GPU|RAM|VRAM|PyPI|JSON",
    "numbers with units": r"\d+(\.\d+)? ?([kMGT]?B|bytes|s|min|h|fps|Hz|px)\b|\d+[×x]\d+",
    "file names, addresses": rf"\b\w+\.({_ENDINGS})\b|\.({_ENDINGS})\b|https?://\S+",
    "commands, variables and keys": r"LTX_STUDIO_\w+|`[^`]*`|Ctrl|Esc|Enter|Space|\bF\b|\bM\b",
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
    left = " | ".join(filter(None, (unspoken(each).strip() for each in reader.found)))
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


@pytest.fixture
def pseudo(tmp_path: Path) -> Iterator[None]:
    with spoken(tmp_path):
        yield


@pytest.mark.usefixtures("pseudo")
def test_all_components_of_the_page_are_in_the_catalogue(home: Settings) -> None:
    settings = replace(home, language=pseudo_language.CODE)
    blocks = build_app(settings, studio=Studio(settings, LocalRunner(settings, Engine(settings))))
    left = {}
    for component in blocks.config["components"]:
        props = component["props"]
        if component["type"] == "api" or props.get("label") in HIDDEN or props.get("visible") == "hidden":
            continue
        for name in LABELS:
            shown = props.get(name)
            if name == "choices":
                shown = [label for label, _ in shown or ()]
            if name == "value" and component["type"] in ("radio", "dropdown", "textbox", "state"):
                continue
            for text in texts_of(shown):
                if found := english(text):
                    left[f"{component['type']} {props.get('elem_id')} {name}"] = found[:200]

    assert left == {}, json.dumps(left, indent=1, ensure_ascii=False)


@pytest.mark.usefixtures("pseudo")
def test_each_text_that_was_filled_in_is_recognized() -> None:
    """What another package has filled in is found by its template, and not taken for another one."""
    wrong = {}
    for each in messages():
        template = Template.of(each.text)
        if template is None or each.names or template.letters < 2:
            continue
        given = {name: f"{17 + index}" for index, name in enumerate(dict.fromkeys(template.names))}
        text = filled(each.text, given)
        if translated(text) != filled(pseudo_language.pseudo(each.text), given):
            wrong[each.text] = translated(text)

    assert wrong == {}, json.dumps(wrong, indent=1, ensure_ascii=False)


def filled(message: str, given: Mapping[str, str]) -> str:
    """Return a message with its parameters put in as they are, whatever its formats say."""
    for name, value in given.items():
        message = re.sub(rf"\{{{name}[^{{}}\w]?[^{{}}]*\}}", value, message)
    return message.replace("{{", "{").replace("}}", "}")


@pytest.mark.usefixtures("pseudo")
def test_each_kind_of_error_is_worded_by_the_catalogue() -> None:
    kinds: list[type[StudioError]] = [StudioError, *subclasses(StudioError)]
    advice = [Advice.to(do, **dict.fromkeys(parameters(WORDS[do]), "7")) for do in WORDS]
    left = {}
    for kind in kinds:
        for given in (None, *advice):
            problem = kind("The disk is full: nothing can be saved.", "Free some space, then try again.", advice=given)
            for shown in (cards.error(problem), str(as_gradio_error(problem))):
                if found := english(shown):
                    left[f"{kind.__name__} {given and given.do}"] = found

    assert len(kinds) > 20
    assert left == {}


def subclasses(kind: type[StudioError]) -> Iterator[type[StudioError]]:
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


LITERAL = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`")
OF_BROWSERS = {"Home", "End", "Tab", "Shift", "Control", "Alt", "Meta", "Enter", "Escape", "Files"}
"""Names of keys, and of what is dragged."""


def test_scripts_have_no_texts_of_their_own() -> None:
    """Scripts show what the page gives them: properties (`says`), attributes, and the texts of components."""
    found = {
        f"{path.name}: {literal}"
        for path in (Path(words.__file__).parent / "assets").glob("*.js")
        for match in LITERAL.finditer(re.sub(r"(^|\s)//.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE))
        for literal in match.groups()
        if literal
        and literal not in OF_BROWSERS
        and re.search(r"(^|\s)[A-Z][a-z]{2,}([\s:.…!?]|$)|[a-z]{2,}[.…!?]$", literal)
    }
    assert found == set()


@pytest.mark.usefixtures("pseudo")
def test_the_page_and_the_login_say_their_language() -> None:
    assert with_head(b'<html\n\tlang="en"><script>window.gradio_config', b"", "qps").startswith(b'<html\n\tlang="qps">')
    login = bytes(login_page().body).decode()

    assert '<html lang="qps">' in login
    assert english(login.partition("<body>")[2]) == ""
