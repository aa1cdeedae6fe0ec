"""Lower packages give advice as data; the command line and the page each word it, with what they have."""

import ast
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from string import Formatter

import pytest

from ltx_studio.advice import PHRASES, Do
from ltx_studio.cli import hints as cli_hints
from ltx_studio.web import hints as web_hints
from tests.support import ROOT
from tests.test_remedies import HOLE, told

PACKAGE = ROOT / "ltx_studio"
INTERFACES = ("cli", "web")
OPTION_OR_COMMAND = re.compile(
    rf"ltx-studio |(?<![\w-])--[a-z{HOLE}]|on the page|\b[Tt]ick\b|\b[Pp]ress\b|in its field"
)
NOT_SHOWN = {
    "engine/boot.py": "ComfyUI's own flags",
    "engine/comfyui.py": "arguments of git and pip",
    "runners/ray/join.py": "arguments of Ray",
    "takes/editor_metadata.py": "a note inside of the video, read in ComfyUI's editor",
}
"""Modules whose texts are for nobody at an interface, with the reason."""

WITHOUT_WORDS_ON_THE_PAGE = {
    Do.CHANGE_VALUE: "the form shows the value",
    Do.NAME_MODEL: "the plain hint says all",
    Do.SEE_MODE: "the form shows what a field takes",
    Do.FREE_SPACE: "the plain hint says all",
    Do.NAME_MODE: "the page has a mode for requests that name none",
    Do.CHOOSE_OUT: "an option of the command line",
    Do.FORGET_MISSING: "an option of the command line",
    Do.GIVE_INPUT: "the page restores what is here",
    Do.GIVE_RIGHT_INPUT: "the page restores what is here",
    **dict.fromkeys(
        (Do.SET_UP, Do.GET_MODELS, Do.BRING_BACK_FILES, Do.PRUNE_TAKES, Do.REPAIR_HISTORY), "only the doctor gives it"
    ),
}


@lru_cache(maxsize=1)
def lower() -> Mapping[Path, ast.Module]:
    """Return the modules below the interfaces."""
    found = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in INTERFACES]
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(found)}


@lru_cache(maxsize=1)
def given() -> Mapping[Do, list[set[str]]]:
    """Return the names of the parameters with which each advice is made, place by place."""
    found: dict[Do, list[set[str]]] = {}
    for tree in lower().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Advice.to":
                do = Do[ast.unparse(node.args[0]).removeprefix("Do.")]
                found.setdefault(do, []).append({str(each.arg) for each in node.keywords})
    return found


def test_no_text_below_the_interfaces_names_a_command_an_option_or_a_button() -> None:
    places = {str(path.relative_to(ROOT)) for path in lower()} - {f"ltx_studio/{name}" for name in NOT_SHOWN}
    texts = {where: text for where, text in told().items() if where.split(":")[0] in places}

    assert len(texts) > 3_000
    assert {where: text for where, text in texts.items() if OPTION_OR_COMMAND.search(text)} == {}


def test_each_table_has_words_for_each_advice() -> None:
    assert set(cli_hints.WORDS) == set(Do)
    assert set(web_hints.WORDS) == set(Do) - set(WITHOUT_WORDS_ON_THE_PAGE)


def test_each_advice_is_given_somewhere() -> None:
    assert set(given()) | set(PHRASES) == set(Do)


@pytest.mark.parametrize("table", [cli_hints.WORDS, web_hints.WORDS], ids=INTERFACES)
def test_a_sentence_uses_the_parameters_that_are_given(table: Mapping[Do, str]) -> None:
    for do, text in table.items():
        used = {name for _, name, _, _ in Formatter().parse(text) if name} - {"files"}
        assert all(used <= names for names in given().get(do, [])), do
        assert (text[0].islower() and text[-1] != ".") == (do in PHRASES), do


def test_the_page_names_an_option_only_in_a_whole_command() -> None:
    for text in web_hints.WORDS.values():
        assert not re.search(r"--\w", re.sub(r"`ltx-studio [^`]+`", "", text)), text
