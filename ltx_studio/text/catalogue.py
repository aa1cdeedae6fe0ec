"""The message catalogue: what the page shows, in the page's language.

The English texts are in the code, and are the messages' names. A language is one file of gettext's format,
``languages/CODE.po``, made from the template beside it (docs/translating.md). A message without a translation stays
English, and English needs no file.

A process has one language, because the page is built once for all its visitors. The page sets it when it is built
(`ltx_studio.web.server.build_app`, from the settings), and reads it whenever it words something:

- `translate_constants` makes a module of constants answer in the language (`web/words.py`, `web/panels/texts.py`).
- `translated` words an English text of another package: a title, an error, a note. Below the page everything is
  English: what is stored, logged, sent to other machines, and shown by the command line. Where such a text has been
  filled in, its template is recognized, and its parameters are filled into the translation.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from string import Formatter
from types import ModuleType
from typing import Any, Self

from ltx_studio.text.gettext_file import Entry, forms_of, read_entries

log = logging.getLogger(__name__)

ENGLISH = "en"
SUFFIX = ".po"
ORDINAL = "{place}th"
"""The message of `ordinal`: what English has for most places."""

MARKS = '<>&"'
"""Characters that mean something in HTML."""

SURE_LETTERS = 5
"""With fewer letters beside its parameters, a template is recognized only if the last of them is a message too."""


LONGEST = 2_000
"""Characters of a text that is looked at; longer ones quote what a user gave."""
LOOSE = (r"(?<=[.!?])\s+", r"; ", r" \(", r" · ")
"""What stands between messages that stand alone: one that is not known leaves the others as they are."""
CLOSE = (r": ", r", ", r" ")
"""What stands between messages that belong together: the first must be known, or the second be a predicate."""
MOST_TRIED = 600
"""Parts of a text of which it is tried whether they are messages; each takes a tenth of a millisecond."""
DEEPEST = 30
"""How many messages may be within each other or follow each other without a stop."""
_PREDICATE = re.compile(r"(is|has|does|needs|only|exceed|cannot)\b")
"""The beginning of what is said of a name: `NAME is missing`."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_EDGES = re.compile(r"^([\s(]*)(.*?)([\s).;:!]*)$", re.DOTALL)


class Folder:
    """The folder of the language files; tests use another one."""

    path = Path(__file__).parent / "languages"


def languages() -> tuple[str, ...]:
    """Return the codes of the languages that the page can have: English, and those that have a file."""
    return (ENGLISH, *sorted(path.stem for path in Folder.path.glob(f"*{SUFFIX}")))


@dataclass(frozen=True)
class Template:
    """A message with parameters, for recognizing a text that was made of it.

    Attributes:
        message: The message.
        parts: What is between its parameters: one more than there are.
        names: Its parameters.
    """

    message: str
    parts: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, message: str) -> Self | None:
        """Return the template of a message; None if it has no parameters, or no letters beside them."""
        parts, names, text = [], [], ""
        for literal, name in _parsed(message):
            text += literal
            if name is not None:
                parts.append(text)
                names.append(name)
                text = ""
        found = cls(message, (*parts, text), tuple(names))
        return found if names and found.letters else None

    @cached_property
    def letters(self) -> int:
        """Return how many letters it has beside its parameters."""
        return sum(letter.isalpha() for part in self.parts for letter in part)

    def given(self, text: str) -> dict[str, str] | None:
        """Return the parameters of a text that was made of this template; None if it was not.

        Each part is looked for after the one before, so that a text takes no longer than its length, whatever it says.
        """
        first, *inner, last = self.parts
        end = len(text) - len(last)
        if not text.startswith(first) or not text.endswith(last) or end < len(first):
            return None
        found: dict[str, str] = {}
        at = len(first)
        for name, part in zip(self.names, inner, strict=False):
            begin = text.find(part, at, end)
            if begin < 0:
                return None
            found.setdefault(name, text[at:begin])
            at = begin + len(part)
        found.setdefault(self.names[-1], text[at:end])
        return found


@dataclass(frozen=True)
class Catalogue:
    """The messages of one language.

    Attributes:
        code: The language's code.
        messages: The translations by context and English text. The context is the name of a constant, or empty.
        plurals: The forms of messages that count, by the English singular.
        ordinals: The forms of `ORDINAL`.
        plural: Returns which of the plural's forms a number takes.
        nth: Returns which of the ordinal's forms a place takes.
    """

    code: str = ENGLISH
    messages: Mapping[tuple[str, str], str] = field(default_factory=dict)
    plurals: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ordinals: Sequence[str] = ()
    plural: Callable[[int], int] = int
    nth: Callable[[int], int] = int

    @classmethod
    def read(cls, code: str) -> Self:
        """Return a language's messages from its file. What is wrong in it is logged, and stays English.

        Raises:
            OSError: The file cannot be read.
            ValueError: The file is not of gettext's format.
        """
        entries = list(read_entries((Folder.path / f"{code}{SUFFIX}").read_text(encoding="utf-8")))
        header = next((each.forms[0] for each in entries if not each.message), "")
        fit = [each for each in entries if each.message and _fits(each, code)]
        ordinals = next((each.forms for each in fit if each.message == ORDINAL), ())
        return cls(
            code,
            messages={(each.context, each.message): each.forms[0] for each in fit if not each.plural},
            plurals={each.message: each.forms for each in fit if each.plural and each.message != ORDINAL},
            ordinals=ordinals,
            plural=forms_of(header, "Plural-Forms"),
            nth=forms_of(header, "X-Ordinal-Forms"),
        )

    def constant(self, text: str, name: str = "") -> str:
        """Return a message's translation: that for the constant `name` if the language has one, else the usual one."""
        return self.messages.get((name, text)) or self.messages.get(("", text)) or text

    def text(self, text: str) -> str:
        """Return the translation of an English text, which may have been filled in, and of texts put together."""
        return _Search(self).text(text) if len(text) <= LONGEST else text

    @property
    def templates(self) -> Sequence[tuple[Template, str]]:
        """Return the templates with their translations, those that say the most first."""
        return _templates(self)

    def __hash__(self) -> int:
        return id(self)


@dataclass(slots=True)
class _Search:
    """A search for the messages in one text; it ends after `MOST_TRIED` of its parts, whatever the text says."""

    catalogue: Catalogue
    tried: int = 0
    deep: int = 0
    known: dict[str, str | None] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """Return the translation of a text, or of the messages in it; what is none is unchanged."""
        if not _WORD.search(text) or self.deep > DEEPEST or self.tried > MOST_TRIED:
            return text
        self.tried += 1
        self.deep += 1
        found = self.one(text)
        said = self.several(text) if found is None else found
        self.deep -= 1
        return said

    def one(self, text: str) -> str | None:
        """Return the translation of one message, or None."""
        if text not in self.known:
            self.tried += 1
            self.deep += 1
            self.known[text] = self._one(text) if self.tried <= MOST_TRIED and self.deep <= DEEPEST else None
            self.deep -= 1
        return self.known[text]

    def _one(self, text: str) -> str | None:
        known = self.catalogue.constant(text)
        if known is not text:
            return known
        for template, translation in self.catalogue.templates:
            given = template.given(text)
            if given is not None and (template.letters >= SURE_LETTERS or self._is_known(given[template.names[-1]])):
                return translation.format_map({name: self.text(value) for name, value in given.items()})
        begin, core, end = _bare(text)
        if core != text and (found := self.one(core)) is not None:
            return f"{begin}{found}{end}"
        return None

    def _is_known(self, text: str) -> bool:
        return not _WORD.search(text) or self.one(text) is not None

    def several(self, text: str) -> str:
        """Return the translation of several messages in a row: sentences, or "TITLE: REMARK", or "TITLE does so."."""
        for joint in LOOSE:
            pieces = re.split(f"({joint})", text)
            said = [*map(self.text, pieces)] if len(pieces) > 1 else pieces
            if said != pieces:
                return "".join(said)
        for tail_of in (self._whole, self.text):  # better two messages than one of a longer name
            for joint in CLOSE:
                for match in re.finditer(joint, text):
                    if self.tried > MOST_TRIED:
                        return text
                    found = self._pair(text[: match.start()], match[0], text[match.end() :], tail_of)
                    if found is not None:
                        return found
        return text

    def _pair(self, head: str, joint: str, tail: str, tail_of: Callable[[str], str]) -> str | None:
        """Return the translation of two texts that belong together, or None if they are no messages."""
        self.tried += 1
        first = self.one(head) if _WORD.search(head) else head
        if first is None:
            rest = self._whole(tail) if _PREDICATE.match(tail) else tail
            return f"{self.text(head)}{joint}{rest}" if rest != tail else None
        rest = tail_of(tail)
        is_value = joint == CLOSE[0] and tail_of == self.text and first != head  # "TITLE: what somebody wrote"
        return f"{first}{joint}{rest}" if rest != tail or is_value or not _WORD.search(tail) else None

    def _whole(self, text: str) -> str:
        found = self.one(text) if _WORD.search(text) else None
        return text if found is None else found


@lru_cache(maxsize=4)
def _templates(catalogue: Catalogue) -> Sequence[tuple[Template, str]]:
    """Return the templates with their translations, those with the most letters first: they say the most."""
    found = ((Template.of(message), said) for (_, message), said in catalogue.messages.items())
    known = [(template, _without_formats(said)) for template, said in found if template is not None]
    return sorted(known, key=lambda pair: -pair[0].letters)


class _Now:
    catalogue = Catalogue()


def use(code: str) -> None:
    """Set the language of this process; a file that cannot be read is logged, and the language is English."""
    try:
        _Now.catalogue = Catalogue() if code == ENGLISH else Catalogue.read(code)
    except (OSError, ValueError) as error:
        log.error("the language %s cannot be read: %s", code, error)
        _Now.catalogue = Catalogue()


def language() -> str:
    """Return the code of the language in use."""
    return _Now.catalogue.code


def translated(text: str) -> str:
    """Return an English text of any package in the language in use. What it does not know, it returns unchanged."""
    return _translated(_Now.catalogue, text) if _Now.catalogue.messages else text


@lru_cache(maxsize=512)  # the page shows the same again every second
def _translated(now: Catalogue, text: str) -> str:
    return now.text(text)


def counted(one: str, many: str, count: int) -> str:
    """Return a message about a number of things, which `many` has as ``{count}``."""
    now = _Now.catalogue
    forms = now.plurals.get(one)
    if forms:
        return forms[min(now.plural(count), len(forms) - 1)].format(count=count)
    return one if count == 1 else many.format(count=count)


def ordinal(place: int) -> str:
    """Return a place as text, like ``2nd``."""
    now = _Now.catalogue
    if now.ordinals:
        return now.ordinals[min(now.nth(place), len(now.ordinals) - 1)].format(place=place)
    last = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{last}"


class _Constants(ModuleType):
    """A module whose constants are in the language in use."""

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if not name.isupper() or name.startswith("_") or not _Now.catalogue.messages:
            return value
        return in_language(value, name)


def translate_constants(module: str) -> None:
    """Make a module answer with its constants in the language in use: texts, and tables and lists of texts.

    The module itself, and whoever imports a constant by its name, still sees English.
    """
    sys.modules[module].__class__ = _Constants


def in_language(value: Any, name: str = "") -> Any:
    """Return a constant in the language in use; what is neither a text nor a table or list of texts is unchanged."""
    match value:
        case str():
            return _Now.catalogue.constant(value, name)
        case Mapping():
            return {key: in_language(each, name) for key, each in value.items()}
        case tuple():
            return tuple(in_language(each, name) for each in value)
    return value


def parameters(text: str) -> set[str]:
    """Return the names of a message's parameters."""
    return {name for _, name in _parsed(text) if name is not None}


def _parsed(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield each part of a message with the parameter after it; a text whose braces are no parameters is one part."""
    try:
        found = [(literal, name) for literal, name, _, _ in Formatter().parse(text)]
    except ValueError:
        found = []
    if found and all(name is None or name.isidentifier() for _, name in found):
        yield from found
    else:
        yield text, None


def _fits(entry: Entry, code: str) -> bool:
    """Return whether a translation can be shown and filled in; what is wrong with one is logged.

    The page's HTML has many messages as they are, so a translation must have no mark that its message does not have.
    """
    if not all(entry.forms):
        return False
    english = entry.message + entry.plural
    known = {*parameters(entry.message), *parameters(entry.plural)}
    strange = set().union(*map(parameters, entry.forms)) - known
    marks = {mark for form in entry.forms for mark in MARKS if mark in form and mark not in english}
    if strange:
        log.warning("%s: %r has no parameter %s", code, entry.message, ", ".join(sorted(strange)))
    if marks:
        log.warning("%s: %r has no %s", code, entry.message, " ".join(sorted(marks)))
    return not strange and not marks


def _without_formats(text: str) -> str:
    """Return a translation whose parameters are put in as they are, because they are texts already."""
    return "".join(_escaped(literal) + ("" if name is None else f"{{{name}}}") for literal, name in _parsed(text))


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _bare(text: str) -> tuple[str, str, str]:
    """Return a text's brackets and stops at its beginning, what is between, and those at its end."""
    found = _EDGES.match(text)
    return (found[1], found[2], found[3]) if found else ("", text, "")
