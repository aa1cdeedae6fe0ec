"""Dynamic prompts: how the editor resolves comments and ``{this|that}`` in a text field when it queues a run."""

import re

from ltx_studio import limits
from ltx_studio.errors import WorkflowError

_SPECIAL = re.compile(r"([{}|])")
_ESCAPED = re.compile(r"\\([{}|])")
_TOKEN = re.compile(r"\\.?|[{}|]|[^\\{}|]+", re.DOTALL)


def settle(prompt: str) -> str:
    """Return the prompt without comments, with each ``{a|b}`` replaced by its first choice.

    The editor picks a random choice; here it is always the first, so that a file always gives the same prompt.
    A backslash escapes a brace or a bar.

    Raises:
        WorkflowError: It is too long, or its choices are nested too deeply.
    """
    if len(prompt) > 2 * limits.TEXT.most:  # twice the length allows a backslash before each character
        limits.TEXT.check(len(prompt), "A prompt of the workflow", error=WorkflowError)
    return _ESCAPED.sub(r"\1", _with_first_choices(_without_comments(prompt)))


def escape(text: str) -> str:
    """Return the prompt that the editor reads as exactly this text, if it `is_plain`."""
    return _SPECIAL.sub(r"\\\1", text)


def is_plain(text: str) -> bool:
    """Return whether some prompt is read as exactly this text: comments and backslashes cannot be escaped."""
    return "\\" not in text and len(_without_comments(text)) == len(text)


def _without_comments(text: str) -> str:
    """Remove ``/* … */`` and ``// …``; an unclosed comment is text. Runs in linear time."""
    kept: list[str] = []
    last_end = text.rfind("*/")
    start = place = 0
    while (place := text.find("/", place)) != -1:
        opener = text[place : place + 2]
        if opener == "/*" and last_end >= place + 2:
            end = text.index("*/", place + 2) + 2
        elif opener == "//":
            end = text.find("\n", place)
            end = len(text) if end == -1 else end
        else:
            place += 1
            continue
        kept.append(text[start:place])
        start = place = end
    return "".join([*kept, text[start:]])


def _with_first_choices(text: str) -> str:
    """Replace each block in braces by the text before its first bar. Runs in linear time."""
    kept: list[str] = []
    passed_bar: list[bool] = []  # for each open block, from the outside in
    skipping = 0  # number of open blocks past their first bar
    for token in _TOKEN.findall(text):
        if token == "{":
            passed_bar.append(False)
            if len(passed_bar) > limits.CHOICE_DEPTH.most:
                limits.CHOICE_DEPTH.check(
                    len(passed_bar), "A prompt of the workflow", error=WorkflowError, is_partial=True
                )
        elif token == "}" and passed_bar:
            skipping -= passed_bar.pop()
        elif token == "|" and passed_bar:
            skipping += not passed_bar[-1]
            passed_bar[-1] = True
        elif not skipping:
            kept.append(token)
    return "".join(kept)
