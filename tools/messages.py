"""Write the template of the message catalogue, which a translator turns into a language (docs/translating.md).

make words

The messages are the English texts in the code: the constants of the page and of what it shares with the terminal, and
the texts with which other packages fill titles, notes, errors and their remedies. A text in which the code fills in
values (an f-string) is a message whose parameters are named after them.
"""

import ast
import importlib
import inspect
import logging
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from ltx_studio.families.ltx_2_3 import template
from ltx_studio.modes import MODES
from ltx_studio.text import gettext_file
from ltx_studio.text.catalogue import ORDINAL, Catalogue, Folder, languages
from ltx_studio.text.gettext_file import Entry
from ltx_studio.web.forms.fields import choices

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "ltx_studio"
TEMPLATE = Folder.path / "template.pot"

HEADER = """\
Project-Id-Version: LTX 2.3 Studio
Language:
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit
Plural-Forms: nplurals=2; plural=(n != 1);
X-Ordinal-Forms: nplurals=1; plural=0;
"""

CONSTANTS = ("ltx_studio.web.words", "ltx_studio.web.panels.texts", "ltx_studio.text.phrases", "ltx_studio.web.hints")
"""Modules of constants, whose values are messages."""

NOT_THE_PAGE = (
    "__main__.py", "logs.py", "web/head.py", "cli/*", "engine/nodes/*", "engine/patches.py", "engine/imports.py",
    "editor_format/editor_nodes.py", "editor_format/everywhere.py", "editor_format/draw.py", "graph/constants.py",
    "models/control_fragments.py", "queue/database.py", "queue/snapshot.py", "runners/ray/fingerprint.py",
    "settings/*", "studio/health.py", "studio/set_up.py", "studio/workflow_check.py", "takes/editor_metadata.py",
    "takes/provenance.py", "text/gettext_file.py", "text/catalogue.py", "web/gradio_compat/*", "web/theme.py",
    "web/access/headers.py", "web/access/owners.py", "families/ltx_2_3/loaders.py",
)  # fmt: skip
"""Modules without texts of the page: the command line and what only it shows, SQL, nodes, what is put into files."""

NAMES = ("TITLE",)
"""Constants that are names, the same in every language."""

NOT_SHOWN = (
    "debug", "info", "warning", "exception", "log", "compile", "match", "search", "sub", "execute", "executemany",
    "feeds", "add", "replace", "getattr", "setattr", "isoformat", "strftime", "ValueError", "TypeError",
    "RuntimeError", "AssertionError", "KeyError", "AttributeError", "NotImplementedError", "OSError", "prune",
    "WrongValueError", "JSONResponse",
)  # fmt: skip
"""What is called with texts that nobody sees, or that go to the log."""

LABELS = ("title", "label", "description", "hint", "message", "text", "caution", "notice")
"""Names of arguments whose text is shown even if it is one word."""

_CODE = re.compile(
    r"SELECT|DELETE|UPDATE |INSERT|WHERE|JOIN|MATCH \?|BEGIN IMMEDIATE|IS NULL|\b(IN|AND|NOT|IS) |instr\(|=>|window\.|"
    r"%s|props\.|const |src=|^<|</"
)
_WORDS = re.compile(r"[A-Za-z]{2,}[,.:;)]* \(?([A-Za-z]|\{)|\} [a-z]{2,}")
"""Two words, or a word and a parameter."""
_LETTERS = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Message:
    """A message, with the modules that it is in, and the names of its constants."""

    text: str
    plural: str = ""
    places: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def main() -> None:
    TEMPLATE.parent.mkdir(exist_ok=True)
    TEMPLATE.write_text(as_template(messages()), encoding="utf-8")
    print(TEMPLATE.relative_to(ROOT))
    logging.basicConfig(format="%(message)s")  # what cannot be used of a language
    for code in languages()[1:]:
        for text in missing(Catalogue.read(code)):
            print(f"{code}: missing: {text[:100]!r}")


def missing(language: Catalogue) -> list[str]:
    """Return the messages that a language does not have."""
    known = {text for _, text in language.messages} | {*language.plurals}
    return [each.text for each in messages() if each.text not in known]


def as_template(found: Iterable[Message]) -> str:
    """Return the text of the template."""
    entries = [
        Entry(each.text, ("", "") if each.plural else ("",), each.plural, comments=each.names, places=each.places)
        for each in found
    ]
    entries.append(Entry(ORDINAL, ("",), ORDINAL, comments=("A place: 1st, 2nd. Its forms follow X-Ordinal-Forms.",)))
    return gettext_file.written(entries, HEADER)


@cache
def messages() -> Sequence[Message]:
    """Return all messages in the order of the code, each once."""
    found: dict[str, Message] = {}
    for each in (*_constants(), *_choices(), *_registry(), *_elsewhere()):
        known = found.get(each.text, Message(each.text))
        found[each.text] = replace(
            known,
            plural=known.plural or each.plural,
            places=_once(known.places, each.places),
            names=_once(known.names, each.names),
        )
    for each in [each for each in found.values() if each.plural]:  # the plural is part of the singular's message
        found.pop(each.plural, None)
    return tuple(found.values())


def _once(some: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*some, *more)))


def _constants() -> Iterator[Message]:
    """Yield the values of the constants; two called ONE_… and MANY_… are a message that counts."""
    for module in map(importlib.import_module, CONSTANTS):
        place = _place(Path(inspect.getfile(module)))
        values = vars(module)
        for name, value in values.items():
            if not name.isupper() or name.startswith("_") or name in NAMES:
                continue
            plural = values.get(f"MANY_{name.removeprefix('ONE_')}", "") if name.startswith("ONE_") else ""
            for text in _texts(value):
                if _LETTERS.search(re.sub(r"\{[^}]*\}", "", text)):
                    yield Message(text, plural, (place,), (name,))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case Enum():
            pass
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case tuple():
            for each in value:
                yield from _texts(each)


def _choices() -> Iterator[Message]:
    """Yield what the forms show of the choices of the modes' parameters."""
    for mode in MODES.values():
        for parameter in mode.params.model_fields.values():
            if get_origin(parameter.annotation) is Literal:
                for label, _ in choices(parameter, get_args(parameter.annotation)):
                    yield Message(label, places=("ltx_studio/modes",))


def _registry() -> Iterator[Message]:
    """Yield what the registry says of model files and sets."""
    path = PACKAGE / "models" / "registry.toml"
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    for entry in (*tables["files"].values(), *tables["sets"].values()):
        for name in ("label", "notice", "use", "caution"):
            if name in entry:
                yield Message(entry[name], places=(_place(path),))


def _elsewhere() -> Iterator[Message]:
    """Yield the texts of the other modules."""
    titles = _node_titles()
    for path in sorted(PACKAGE.rglob("*.py")):
        if any(path.match(str(PACKAGE / pattern)) for pattern in NOT_THE_PAGE) or _module(path) in CONSTANTS[1:]:
            continue
        reader = _Reader(only_marked=_module(path) in CONSTANTS, has_labels="web" not in path.parts)
        reader.visit(ast.parse(path.read_text(encoding="utf-8")))
        for text in reader.found:
            if text in reader.labels or text.partition(".")[0] not in titles:
                yield Message(text, places=(_place(path),))


def _place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _node_titles() -> set[str]:
    """Return the titles of the nodes of our graphs, which are names in the code and never shown."""
    folder = Path(inspect.getfile(template)).parent / "templates"
    return {
        title
        for path in folder.glob("*.json")
        for title in re.findall(r'"title": "([^"]+)"', path.read_text(encoding="utf-8"))
    }


@dataclass
class _Reader(ast.NodeVisitor):
    """Collects the texts of a module that a user may see.

    Attributes:
        only_marked: Whether only what is given to `translated` counts.
        has_labels: Whether the arguments `LABELS` are shown: the page has hidden components too.
        found: The texts.
        labels: Those that are titles and labels.
    """

    only_marked: bool = False
    has_labels: bool = True
    found: list[str] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        if name in NOT_SHOWN:
            return
        if name in ("translated", "Example", "real") and node.args:
            self._label(_text(node.args[0]))
        elif name == "Phase":
            self._label(_text(node.args[1]))
        for keyword in node.keywords:
            if keyword.arg in LABELS and self.has_labels:
                self._label(_text(keyword.value))
        if name != "real":  # the others are prompts, which the models understand in English
            self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in ("placeholder", "key"):  # of a prompt; what Gradio keeps a component by
            self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None or _text(key) != "prompt":
                self.visit(value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if _name(node.targets[0]) != "NEGATIVE_PROMPT":
            self.visit(node.value)

    def _label(self, text: str) -> None:
        if _LETTERS.search(text):
            self.labels.add(text)
            self.found.append(text)

    def _body(self, node: Any) -> None:
        """Visit what has a docstring, without it; of a function also its defaults."""
        for each in node.body:
            self.visit(each)
        arguments = getattr(node, "args", None)
        for each in [*arguments.defaults, *arguments.kw_defaults] if arguments else []:
            if each is not None:
                self.visit(each)

    visit_Module = visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = _body  # noqa: N815

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._add(_as_message([node]))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)
            if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.IfExp) and not self.only_marked:
                for word in filter(_LETTERS.search, map(_text, (part.value.body, part.value.orelse))):
                    self.found.append(word)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        parts = _summands(node)
        if any(isinstance(part, ast.JoinedStr) or _text(part) for part in parts):
            self._add(_as_message(parts))
            for part in parts:
                if not isinstance(part, ast.JoinedStr | ast.Constant):
                    self.visit(part)
        else:
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._add(node.value)

    def _add(self, text: str) -> None:
        if not self.only_marked and _WORDS.search(text) and not _CODE.search(text):
            self.found.append(text)


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _summands(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_summands(node.left), *_summands(node.right)]
    return [node]


def _as_message(parts: Sequence[ast.AST]) -> str:
    """Return a message for a text that the code puts together: each value becomes a parameter."""
    pieces = [piece for part in parts for piece in (part.values if isinstance(part, ast.JoinedStr) else [part])]
    named: dict[str, str] = {}
    said = ""
    for piece in pieces:
        if text := _text(piece):
            said += text.replace("{", "{{").replace("}", "}}")
        else:
            value = piece.value if isinstance(piece, ast.FormattedValue) else piece
            said += f"{{{_parameter(value, named)}}}"
    return said


def _parameter(value: ast.AST, named: dict[str, str]) -> str:
    """Return the parameter's name; the same value has the same one, another value another one."""
    source = ast.unparse(value)
    if source not in named:
        usual = _called(value)
        taken = sum(1 for each in named.values() if re.sub(r"_\d+$", "", each) == usual)
        named[source] = f"{usual}_{taken + 1}" if taken else usual
    return named[source]


def _called(value: ast.AST) -> str:
    called = "value"
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            called = name.strip("_").lower()
        case ast.Subscript(slice=ast.Constant(value=str(name))) if name.isidentifier():
            called = name
        case (
            ast.Subscript(value=inner)
            | ast.Call(func=ast.Attribute(attr="join"), args=[inner])
            | ast.Call(
                func=ast.Attribute(value=inner, attr="strip" | "rstrip" | "removesuffix" | "resolve" | "hexdigest")
            )
            | ast.Call(args=[inner, *_])
            | ast.BoolOp(values=[inner, *_])
            | ast.BinOp(left=inner)
        ):
            called = _called(inner)
        case ast.Call(func=name):
            called = _name(name).strip("_") or called
    return called


if __name__ == "__main__":
    main()
