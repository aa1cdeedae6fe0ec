"""The pseudo-language: every message in ⟦brackets⟧, with accents and 40 % longer words.

What is shown without brackets is not in the catalogue, and what does not fit the page would not fit in a language with
long words. Only tests have it: it is made of the template's messages and never offered to users.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltx_studio.text import catalogue
from ltx_studio.text.catalogue import ORDINAL
from ltx_studio.text.gettext_file import Entry, written
from tools.messages import HEADER, messages

CODE = "qps"  # reserved for pseudo-languages
_KEPT = re.compile(r"(\{[^{}]*\}|`[^`]*`|\n|\s+)")
_ACCENTED = str.maketrans(
    "aceghijklnorsuwyzACDEGHIJKLNORSTUWYZ", "áçéĝĥíĵķļñóŕšúŵýžÁÇĎÉĜĤÍĴĶĻÑÓŔŠŤÚŴÝŽ"
)  # fmt: skip


def pseudo(text: str) -> str:
    """Return a message in the pseudo-language: parameters, commands and breaks are unchanged."""
    return f"⟦{''.join(part if _KEPT.fullmatch(part) else _longer(part) for part in _KEPT.split(text))}⟧"


def _longer(word: str) -> str:
    letters = sum(letter.isalpha() for letter in word)
    vowel = next((letter for letter in reversed(word) if letter in "aeiouyAEIOUY"), "")
    more = vowel.lower() * -(-letters * 2 // 5)
    at = word.rfind(vowel) + 1 if vowel else 0
    return (word[:at] + more + word[at:]).translate(_ACCENTED)


def write(folder: Path) -> None:
    """Write the language's file into a folder."""
    entries = [
        Entry(each.text, [pseudo(each.text), pseudo(each.plural)] if each.plural else [pseudo(each.text)], each.plural)
        for each in messages()
    ]
    entries.append(Entry(ORDINAL, [pseudo("{place}.")], ORDINAL))
    (folder / f"{CODE}{catalogue.SUFFIX}").write_text(written(entries, HEADER), encoding="utf-8")


@contextmanager
def spoken(folder: Path) -> Iterator[None]:
    """Have this process speak the pseudo-language for a while."""
    write(folder)
    usual, catalogue.Folder.path = catalogue.Folder.path, folder
    try:
        catalogue.use(CODE)
        yield
    finally:
        catalogue.Folder.path = usual
        catalogue.use(catalogue.ENGLISH)


def unspoken(text: str) -> str:
    """Return what is not in brackets, which may contain each other."""
    depth, left = 0, []
    for letter in text:
        depth += (letter == "⟦") - (letter == "⟧")
        left.append(letter if not depth and letter != "⟧" else " ")
    return "".join(left)
