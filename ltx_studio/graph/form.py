"""The form of any workflow: the inputs that a user may set, their allowed values, and writing values into the graph."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeAlias

from ltx_studio import limits
from ltx_studio.errors import RequestError
from ltx_studio.graph.definitions import SEEDS, Definitions, Input
from ltx_studio.graph.graph import ApiGraph, is_link
from ltx_studio.graph.input_values import fits
from ltx_studio.graph.model_inputs import ENDINGS
from ltx_studio.graph.values import quoted, require_text, shown


class Kind(StrEnum):
    """The kind of value that a field takes."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    SEED = "seed"
    SWITCH = "switch"
    CHOICE = "choice"
    PICTURE = "picture"
    SOUND = "sound"
    CLIP = "clip"


class Role(StrEnum):
    """The purpose of a text field."""

    NONE = ""
    PROMPT = "prompt"
    NEGATIVE = "negative"


FILES = {Kind.PICTURE: "image_upload", Kind.SOUND: "audio_upload", Kind.CLIP: "video_upload"}
"""The kinds that are files, and the option that marks their inputs in ComfyUI's definitions."""

_EXAMPLES = {Kind.PICTURE: "a.png", Kind.SOUND: "a.wav", Kind.CLIP: "a.mp4"}

_OF_A_WIDGET = {"INT": Kind.INTEGER, "FLOAT": Kind.NUMBER, "STRING": Kind.TEXT, "BOOLEAN": Kind.SWITCH}
_ALWAYS = {Kind.PICTURE, Kind.SOUND, Kind.CLIP, Kind.SEED}
UNLIMITED = 2**53
_LONGEST_TITLE, _LONGEST_LIST = 200, 2000
_LONGEST_KEY = 2 * limits.NAME.most + 1
_MOST_LISTED, _MOST_COMPARED, _LONGEST_COMPARED = 20, 200, 100
"""Limits of an error: the fields it lists, and the fields and letters of a name that it compares to an unknown one."""

_NOT_TOLD = ("fits", "role", "titled")

PATHS = ("filename_prefix", "folder_name", "prefix")
"""Inputs that determine where a node writes."""


@dataclass(frozen=True, slots=True)
class Field:
    """An input that a user may set.

    Attributes:
        key: Its unique name: the node's id, a dot, the input's name.
        title: The name that users see.
        kind: The kind of its value.
        value: The workflow's value; for a file its name, whether or not the file exists.
        minimum: The smallest number allowed.
        maximum: The largest number allowed.
        step: The step between numbers; 0 if any number is allowed.
        choices: The values of a choice.
        lines: Whether a text may have several lines.
        fits: Whether its node accepts `value`.
        role: Whether it is a prompt.
        titled: Whether the workflow's author has titled it.
        chosen: Whether the author has chosen it for ComfyUI's app mode.
    """

    key: str
    title: str
    kind: Kind
    value: Any
    minimum: float | None = None
    maximum: float | None = None
    step: float = 0.0
    choices: tuple[Any, ...] = ()
    lines: bool = False
    fits: bool = True
    role: Role = Role.NONE
    titled: bool = False
    chosen: bool = False

    @property
    def is_limited(self) -> bool:
        """Return whether its range is a real limit: numbers without one have the largest possible range."""
        return self.minimum is not None and self.maximum is not None and self.maximum < UNLIMITED

    def as_dict(self) -> dict[str, Any]:
        """Return the data for JSON, without what does not apply."""
        told = {name: value for name, value in asdict(self).items() if name not in _NOT_TOLD}
        return {name: value for name, value in told.items() if value not in (None, (), 0.0, False)}


Others: TypeAlias = Callable[[str], Field | None]
"""A function that finds a field by its key; returns None if there is none."""


def form_of(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions) -> list[Field]:
    """Return the inputs that the workflow's author has titled, and always texts, files and seeds.

    An input whose value its node does not accept is included, so that the user can correct it. Linked inputs,
    model files, output names and formulas are not. What people change most comes first; see `arranged`.
    """
    from ltx_studio.graph.form_order import arranged

    fields = [
        (node_id, name, field)
        for node_id, node in graph.items()
        for is_named in (_has_own_title(node, definitions),)
        for name, field in _fields(node_id, node, definitions)
        if is_named or field.kind in _ALWAYS or field.lines or not field.fits
    ]
    count = Counter(node_id for node_id, _, _ in fields)
    named = [field if count[node_id] == 1 else _with_input(field, name) for node_id, name, field in fields]
    return arranged(graph, named)


def files_of(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions) -> dict[str, Field]:
    """Return the fields of a workflow's form that are files, by key."""
    classes = {node["class_type"] for node in graph.values()}
    read = {each for each in classes if any(_may_read(item) for item in definitions.inputs(each))}
    readers = {node_id: node for node_id, node in graph.items() if node["class_type"] in read}
    return {each.key: each for each in form_of(readers, definitions) if each.kind in FILES}


def with_examples(graph: Mapping[str, Mapping[str, Any]], files: Mapping[str, Field]) -> ApiGraph:
    """Return the graph with an example name for each of `files`.

    A run never reads the names in the workflow: the studio replaces them by the names of its own copies. So a
    check before the run uses this graph.

    Args:
        graph: API format.
        files: See `files_of`.
    """
    named: ApiGraph = {node_id: dict(node) for node_id, node in graph.items()}
    for key, field in files.items():
        node_id, name = place_of(named, key)
        named[node_id]["inputs"] = {**named[node_id]["inputs"], name: _EXAMPLES[field.kind]}
    return named


def _may_read(item: Input) -> bool:
    """Return whether an input is a file, or a choice that may add one."""
    return item.is_dynamic or any(item.options.get(known_by) for known_by in FILES.values())


def others_of(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions) -> Others:
    """Return a finder, by key, of inputs that the form leaves out: model files, outputs, untitled nodes."""

    def find(key: str) -> Field | None:
        for dot, letter in enumerate(key[:_LONGEST_KEY]):
            node = graph.get(key[:dot]) if letter == "." else None
            if node is not None and node["class_type"] in definitions:
                for name, field in _fields(key[:dot], node, definitions, every=True):
                    if name == key[dot + 1 :]:
                        return field
        return None

    return find


def fill(
    graph: Mapping[str, Mapping[str, Any]],
    fields: list[Field],
    values: Mapping[str, Any],
    others: Others = lambda _: None,
) -> ApiGraph:
    """Return a copy of the graph with other values.

    Args:
        graph: API format.
        fields: Its form.
        values: By key, or by title if that is unique.
        others: Finds fields that are not in the form; see `others_of`.

    Raises:
        RequestError: There is no such field, or it does not accept the value.
    """
    filled: ApiGraph = {node_id: {**node, "inputs": dict(node["inputs"])} for node_id, node in graph.items()}
    known = FieldIndex(fields, others)
    for name, value in values.items():
        field = known.find(name)
        node_id, given = place_of(graph, field.key)
        filled[node_id]["inputs"][given] = _checked(field, value)
    return filled


def place_of(graph: Mapping[str, Mapping[str, Any]], key: str) -> tuple[str, str]:
    """Return the node id and the input name in a field's key; either may contain dots.

    Raises:
        RequestError: The graph has no such node.
    """
    splits = [(key[:dot], key[dot + 1 :]) for dot, letter in enumerate(key) if letter == "."]
    known = [(node_id, name) for node_id, name in splits if node_id in graph]
    if not known:
        raise RequestError(f"The workflow has no input {quoted(key)}.", "Remove it.", where=shown(key))
    return next((each for each in known if each[1] in graph[each[0]]["inputs"]), known[0])


class FieldIndex:
    """An index of fields by name, for many look-ups. `others` finds those that are not in the form."""

    def __init__(self, fields: Sequence[Field], others: Others = lambda _: None) -> None:
        self._fields = fields
        self._others = others
        self._by_key: dict[str, list[Field]] = {}
        self._by_title: dict[str, list[Field]] = {}
        for field in fields:
            self._by_key.setdefault(field.key, []).append(field)
            self._by_title.setdefault(field.title.casefold(), []).append(field)

    def find(self, name: str) -> Field:
        """Return a field by its key or title.

        Raises:
            RequestError: No field matches, or more than one does.
        """
        found = self._by_key.get(name) or self._by_title.get(name.casefold()) or []
        if len(found) == 1:
            return found[0]
        other = self._others(name) if not found else None
        if other is not None:
            return other
        known = _listed(found or self._fields)
        if found:
            raise RequestError(f"The workflow has more than one field {quoted(name)}.", f"Use one of: {known}.")
        like = self._like(name.casefold())
        hint = f"Did you mean {quoted(like)}? " if like else ""
        raise RequestError(f"The workflow has no field {quoted(name)}.", f"{hint}Its fields are: {known or 'none'}.")

    def _like(self, name: str) -> str | None:
        """Return the name that the user may have meant. Comparing is slow, so only a few short names are tried."""
        names = {each.casefold(): each for field in self._fields[:_MOST_COMPARED] for each in (field.key, field.title)}
        short = [each for each in names if len(each) <= _LONGEST_COMPARED]
        near = get_close_matches(name, short, n=1) if len(name) <= _LONGEST_COMPARED else []
        return names[near[0]] if near else None


def _listed(fields: Sequence[Field]) -> str:
    more = f" and {len(fields) - _MOST_LISTED} more" if len(fields) > _MOST_LISTED else ""
    return ", ".join(f"{shown(field.key)} ({shown(field.title)})" for field in fields[:_MOST_LISTED]) + more


def _fields(
    node_id: str, node: Mapping[str, Any], definitions: Definitions, *, every: bool = False
) -> Iterator[tuple[str, Field]]:
    title, titled = shown(_title(node, definitions), _LONGEST_TITLE), _has_own_title(node, definitions)
    for name, item in _widgets(definitions.inputs(node["class_type"]), node["inputs"], ""):
        value = node["inputs"].get(name, item.default)
        is_set = name in node["inputs"] or not item.required
        does_fit = is_set and (is_link(value) or fits(item, value))
        kind = _kind(name, item, title)
        if item.is_dynamic and (every or not does_fit):
            kind = Kind.CHOICE
        is_model = kind not in FILES and isinstance(value, str) and value[-20:].lower().endswith(ENDINGS)
        if is_model and every:
            kind = Kind.TEXT
        if kind is None or is_link(value) or ((is_model or name in PATHS) and not every):
            continue
        low, high = item.options.get("min"), item.options.get("max")
        yield (
            name,
            Field(
                f"{node_id}.{name}",
                title,
                kind,
                value,
                minimum=low if kind in (Kind.INTEGER, Kind.NUMBER, Kind.SEED) else None,
                maximum=high if kind in (Kind.INTEGER, Kind.NUMBER, Kind.SEED) else None,
                step=float(item.options.get("step") or 0.0),
                choices=tuple(item.choices) if kind is Kind.CHOICE else (),
                lines=bool(item.options.get("multiline")),
                fits=does_fit,
                titled=titled,
            ),
        )


def _widgets(inputs: Sequence[Input], given: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Input]]:
    for item in inputs:
        if not item.is_widget:
            continue
        name = prefix + item.name
        yield name, item
        if item.is_dynamic:
            yield from _widgets(item.chosen(given.get(name, item.default)), given, f"{name}.")


def _kind(name: str, item: Input, title: str) -> Kind | None:
    for kind, known_by in FILES.items():
        if item.options.get(known_by):
            return kind
    if item.kind == "INT" and (name in SEEDS or "seed" in title.casefold()):
        return Kind.SEED
    if item.is_dynamic:
        return None  # another choice has other inputs
    return Kind.CHOICE if item.kind == "COMBO" else _OF_A_WIDGET.get(item.kind)


def is_expression(field: Field) -> bool:
    """Return whether a field is a formula, which only its author understands."""
    return field.kind is Kind.TEXT and field.key.endswith(".expression")


def _with_input(field: Field, name: str) -> Field:
    return replace(field, title=f"{field.title}: {name.rpartition('.')[2].replace('_', ' ')}")


def _has_own_title(node: Mapping[str, Any], definitions: Definitions) -> bool:
    return _title(node, definitions) not in (definitions.title(node["class_type"]), node["class_type"])


def _title(node: Mapping[str, Any], definitions: Definitions) -> str:
    return str(node.get("_meta", {}).get("title") or definitions.title(node["class_type"]))


def _checked(field: Field, value: Any) -> Any:
    match field.kind:
        case Kind.INTEGER | Kind.SEED | Kind.NUMBER:
            return _number(field, value)
        case Kind.SWITCH:
            if isinstance(value, bool):
                return value
            if str(value).lower() in ("true", "false"):
                return str(value).lower() == "true"
            raise _wrong(field, value, "true or false")
        case Kind.CHOICE:
            for choice in field.choices:
                if str(choice) == str(value):
                    return choice
            raise _wrong(field, value, f"one of {shown(', '.join(map(str, field.choices)), _LONGEST_LIST)}")
        case Kind.TEXT if not isinstance(value, str | int | float):
            raise _wrong(field, value, "text")
    text = str(value)
    limits.TEXT.check(len(text), field.title, where=shown(field.key))
    require_text(text, field.title)
    return text


def _number(field: Field, value: Any) -> float | int:
    low = -math.inf if field.minimum is None else field.minimum
    high = math.inf if field.maximum is None else field.maximum
    try:
        number = float(value) if field.kind is Kind.NUMBER else int(value)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(field, value, "a number") from None
    if not isinstance(value, str) and number != value:
        raise _wrong(field, value, "a whole number")
    if not low <= number <= high:
        raise _wrong(field, value, f"a number from {low} to {high}")
    return number


def _wrong(field: Field, value: Any, wanted: str) -> RequestError:
    return RequestError(f"{field.title} is {quoted(value)}.", f"Set it to {wanted}.", where=shown(field.key))
