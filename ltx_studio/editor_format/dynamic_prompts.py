"""Dynamic prompts: what the editor makes of comments and ``{this|that}`` in a text field when a run is queued."""

import re

from ltx_studio import limits
from ltx_studio.errors import WorkflowError

_SPECIAL = re.compile(r"([{}|])")
_ESCAPED = re.compile(r"\\([{}|])")
_TOKEN = re.compile(r"\\.?|[{}|]|[^\\{}|]+", re.DOTALL)


def settle(prompt: str) -> str:
    """Return the prompt without comments, and with the first choice of each ``{a|b}``.

    The editor draws the choice at random; here it is always the first, so that a file means the same every time.
    A backslash keeps a brace or a bar as it is.

    Raises:
        WorkflowError: It is too long, or its choices are nested too deeply.
    """
    if len(prompt) > 2 * limits.TEXT.most:  # with a backslash before each character it is twice as long as it reads
        limits.TEXT.check(len(prompt), "A prompt of the workflow", error=WorkflowError)
    return _ESCAPED.sub(r"\1", _with_first_choices(_without_comments(prompt)))


def escape(text: str) -> str:
    """The prompt that the editor reads as this very text, if it `is_plain`."""
    return _SPECIAL.sub(r"\\\1", text)


def is_plain(text: str) -> bool:
    """Whether there is a prompt that the editor reads as this text: comments and backslashes cannot be escaped."""
    return "\\" not in text and len(_without_comments(text)) == len(text)


def _without_comments(text: str) -> str:
    """Drop ``/* … */`` and ``// …``; one that is never closed is text. Looks at each character once."""
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
    """Replace each block in braces by what stands before its first bar. Looks at each character once."""
    kept: list[str] = []
    passed_bar: list[bool] = []  # of each open block, from the outside in
    skipping = 0  # how many open blocks are past their first bar
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
