"""Files of gettext's format (.po): read their entries, write a template.

Python's `gettext` reads only the binary form (.mo), which a translator would have to compile; of it, `Plural-Forms` is
used.
"""

import ast
import gettext
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

_KEY = re.compile(r"(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d+)\])?)\s+(\".*\")$")
WIDTH = 110
"""Characters of a line of a template, with its quotes."""


_PIECE = re.compile(rf".{{1,{WIDTH}}}(?:\s|$)|.+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """A message and its translation.

    Attributes:
        message: The English text, or the singular; empty for the file's header.
        forms: The translation, or its plural forms; empty texts in a template.
        plural: The English plural of a message that counts.
        context: What the message is, where the same English means different things.
        comments: What a translator should know.
        places: Where it comes from.
    """

    message: str
    forms: Sequence[str] = ("",)
    plural: str = ""
    context: str = ""
    comments: Sequence[str] = ()
    places: Sequence[str] = ()


def read_entries(text: str) -> Iterator[Entry]:
    """Yield the entries of a file, the header among them; those marked as fuzzy are left out.

    Raises:
        ValueError: A line is not of the format.
    """
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        entry = _entry([line.strip() for line in block.split("\n")])
        if entry is not None:
            yield entry


def _entry(lines: Sequence[str]) -> Entry | None:
    found: dict[str, str] = {}
    key = ""
    for line in lines:
        if line.startswith("#,") and "fuzzy" in line:
            return None
        if not line or line.startswith("#"):
            continue
        if match := _KEY.match(line):
            key = match[1]
            found[key] = _unquoted(match[3])
        elif key and line.startswith('"'):
            found[key] += _unquoted(line)
        else:
            raise ValueError(f"not a line of a .po file: {line[:80]}")
    if "msgid" not in found:
        return None
    forms = [found[name] for name in sorted(found) if name.startswith("msgstr")]
    return Entry(found["msgid"], forms or [""], found.get("msgid_plural", ""), found.get("msgctxt", ""))


def _unquoted(text: str) -> str:
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        raise ValueError(f"not a text in quotes: {text[:80]}") from None


def forms_of(header: str, name: str) -> Callable[[int], int]:
    """Return a function that gives the form that a number takes, from a field of the header such as Plural-Forms.

    Raises:
        ValueError: The field cannot be read.
    """
    found = re.search(rf"^{name}:.*plural=([^;\n]*)", header, re.MULTILINE)
    return gettext.c2py(found[1] if found else "0")


def written(entries: Iterable[Entry], header: str) -> str:
    """Return the text of a file with these entries."""
    return "\n".join([_block(Entry("", (header,))), *map(_block, entries)])


def _block(entry: Entry) -> str:
    lines = [f"#. {line}" for line in entry.comments]
    lines += [f"#: {place}" for place in entry.places]
    if entry.context:
        lines.append(f"msgctxt {_quoted(entry.context)}")
    lines.append(f"msgid {_wrapped(entry.message)}")
    if entry.plural:
        lines.append(f"msgid_plural {_wrapped(entry.plural)}")
        lines += [f"msgstr[{number}] {_wrapped(form)}" for number, form in enumerate(entry.forms)]
    else:
        lines.append(f"msgstr {_wrapped(entry.forms[0])}")
    return "".join(f"{line}\n" for line in lines)


def _wrapped(text: str) -> str:
    """Return a text in quotes, on several lines if it is long or has several."""
    pieces = [piece for line in text.splitlines(keepends=True) for piece in _PIECE.findall(line)]
    if len(pieces) < 2:
        return _quoted(text)
    return "\n".join(['""', *map(_quoted, pieces)])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
