"""Dynamic prompts: what the editor makes of comments and ``{this|that}`` in a text field when a run is queued."""

import re
from collections.abc import Iterator

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_SPECIAL = re.compile(r"([{}|])")
_ESCAPED = re.compile(r"\\([{}|])")


def settle(prompt: str) -> str:
    """The prompt without comments, and with one choice made of each ``{a|b}``.

    The editor draws the choice at random; here it is always the first, so that a file means the same every time.
    A backslash keeps a brace or a bar as it is.
    """
    return _ESCAPED.sub(r"\1", _settled(iter(_COMMENT.sub("", prompt))))


def escape(text: str) -> str:
    """The prompt that the editor reads as this very text, if it `is_plain`."""
    return _SPECIAL.sub(r"\\\1", text)


def is_plain(text: str) -> bool:
    """Whether there is a prompt that the editor reads as this text: comments and backslashes cannot be escaped."""
    return "\\" not in text and not _COMMENT.search(text)


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
    """Read to the brace that closes the block; what stands before the first bar of its own."""
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
