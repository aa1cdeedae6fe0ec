import random
import re
from collections.abc import Iterator

import pytest

from ltx_studio import limits
from ltx_studio.editor_format import dynamic_prompts
from ltx_studio.editor_format.dynamic_prompts import escape, is_plain, settle
from ltx_studio.errors import WorkflowError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a red ball", "a red ball"),
        ("a {red|blue} ball", "a red ball"),
        ("a {red|blue} {ball|cube}", "a red ball"),
        ("a {very {big|small}|plain} ball", "a very big ball"),
        ("a {plain|very {big|small}} ball", "a plain ball"),
        ("an {|empty} choice", "an  choice"),
        ("one {choice}", "one choice"),
        ("never {closed", "never closed"),
        ("never opened}", "never opened}"),
        (r"kept \{braces\} and \| bars", "kept {braces} and | bars"),
        (r"in a block {a\|b|c}", "in a block a|b"),
        (r"other \n backslashes", r"other \n backslashes"),
        ("a ball // a comment\nrolls", "a ball \nrolls"),
        ("a ball /* two\nlines */ rolls", "a ball  rolls"),
        ("", ""),
    ],
)
def test_means_what_the_editor_queues(written: str, meant: str) -> None:
    assert settle(written) == meant


_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_ESCAPED = re.compile(r"\\([{}|])")


def by_the_letter(prompt: str) -> str:
    """The rule as it reads, without a thought for the time it takes: what `settle` is held against."""
    return _ESCAPED.sub(r"\1", _settled(iter(_COMMENT.sub("", prompt))))


def _settled(characters: Iterator[str]) -> str:
    text = ""
    for character in characters:
        if character == "\\":
            text += character + next(characters, "")
        elif character == "{":
            text += _settled(iter(_first_choice(characters)))
        else:
            text += character
    return text


def _first_choice(characters: Iterator[str]) -> str:
    choices, depth = [""], 0
    for character in characters:
        if character == "\\":
            choices[-1] += character + next(characters, "")
            continue
        if character == "}" and depth == 0:
            break
        if character == "|" and depth == 0:
            choices.append("")
            continue
        depth += {"{": 1, "}": -1}.get(character, 0)
        choices[-1] += character
    return choices[0]


@pytest.mark.parametrize("letters", ["{}|\\ab", "/*\na", "{}|\\/*\nab", "{|}", "/*"])
def test_means_the_same_as_the_rule_by_the_letter(letters: str) -> None:
    rng = random.Random(letters)
    for _ in range(20_000):
        prompt = "".join(rng.choices(letters, k=rng.randrange(14)))
        assert settle(prompt) == by_the_letter(prompt), prompt
        assert is_plain(prompt) == ("\\" not in prompt and not _COMMENT.search(prompt)), prompt


def test_what_is_escaped_means_itself() -> None:
    text = "{|}" * 33_333
    assert is_plain(text)
    assert settle(escape(text)) == text


@pytest.mark.parametrize(
    "prompt",
    ["/*a" * 33_000, "//" * 50_000, "/" * 100_000, "*/" * 50_000, "/*/" * 33_000, "{a|b}" * 20_000, "|" * 100_000],
)
def test_each_letter_of_a_long_prompt_is_read_a_few_times_at_the_most(prompt: str) -> None:
    """A text that counts the letters that are handed over to `find`, `rfind` and `index`, as far as these read."""
    read = 0

    class Counted(str):
        def find(self, sub: str, start: int = 0) -> int:  # type: ignore[override]
            nonlocal read
            found = super().find(sub, start)
            read += (found if found >= 0 else len(self)) - start
            return found

        def index(self, sub: str, start: int = 0) -> int:  # type: ignore[override]
            nonlocal read
            found = super().index(sub, start)
            read += found - start
            return found

    dynamic_prompts._without_comments(Counted(prompt))

    assert read <= 2 * len(prompt)


@pytest.mark.parametrize("prompt", ["{" * 51, "{" * 100_000, "{a|" * 51 + "b" + "}" * 51])
def test_choices_that_are_too_deep_are_refused(prompt: str) -> None:
    with pytest.raises(WorkflowError, match="more than 50 levels of nested choices"):
        settle(prompt)


def test_as_many_choices_as_allowed_and_a_text_that_is_too_long() -> None:
    assert settle("{a|" * 50 + "}" * 50) == "a"
    with pytest.raises(WorkflowError, match="characters; the limit is 100,000"):
        settle("x" * (2 * limits.TEXT.most + 1))
