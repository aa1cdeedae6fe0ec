"""The fields of the form for a user's own workflow: their order on the page, and their values there and back."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ltx_studio.errors import RequestError
from ltx_studio.graph.form import FILES, Field, Kind, Role, place_of
from ltx_studio.web import words
from ltx_studio.web.forms.fields import MOST_EXACT
from ltx_studio.web.panels import texts

MOST_OPEN = 12
"""The most values and seeds in the open where the author has chosen nothing."""
FEW = 8
"""The most folded fields that are not grouped by node."""
_VALUE = "Primitive"
"""The start of the class names of ComfyUI's nodes that hold a single value."""
LONGEST_NUMBER = 30
"""Characters of a text that may be a number."""
_MOST_WHOLE = 2**64 - 1
"""The largest whole number that is shown: seeds have at most 64 bits."""

Drawn = dict[str, Any]
"""A field or a group of fields as the browser draws it (``assets/own.js``)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of a form in their places.

    Attributes:
        blocks: What is in the open, from the top: files are in blocks of their own.
        folded: The rest, by node: its title and its fields with what they are called there.
    """

    blocks: tuple[tuple[Field, ...], ...]
    folded: tuple[tuple[str, tuple[tuple[str, Field], ...]], ...]

    @property
    def folded_count(self) -> int:
        return sum(len(fields) for _, fields in self.folded)


def layout_of(fields: Sequence[Field], graph: Mapping[str, Mapping[str, Any]]) -> Layout:
    """Return a form's layout: what its author has chosen, prompts and files are in the open, the rest is folded."""
    first = foremost(fields, graph)
    keys = {each.key for each in first}
    return Layout(tuple(blocks_of(first)), tuple(_by_node((each for each in fields if each.key not in keys), graph)))


def foremost(fields: Sequence[Field], graph: Mapping[str, Mapping[str, Any]]) -> list[Field]:
    """Return the fields in the open.

    They are what the author has chosen; without such, what most people change: prompts, and titled seeds and values
    that stand in nodes of their own, up to `MOST_OPEN`. What must be given before the workflow can run is always in the
    open: files, and values that do not fit.
    """
    has_choice, found, parameters = any(each.chosen for each in fields), [], 0
    for each in fields:
        is_open = each.chosen or each.kind in FILES or not each.fits
        if not is_open and not has_choice:
            is_open = each.role is not Role.NONE
            if not is_open and parameters < MOST_OPEN and _is_parameter(each, graph):
                parameters, is_open = parameters + 1, True
        if is_open:
            found.append(each)
    return found


def _is_parameter(field: Field, graph: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether the author has titled a node that is nothing but a value or a seed."""
    node_id, name = place_of(graph, field.key)
    is_alone = not field.title.endswith(f": {_said(name)}")
    is_value = field.kind is Kind.SEED or str(graph[node_id]["class_type"]).startswith(_VALUE)
    return field.titled and is_alone and is_value


def _said(name: str) -> str:
    """Return an input's name as it stands after its node's title."""
    return name.rpartition(".")[2].replace("_", " ")


def blocks_of(fields: Sequence[Field]) -> list[tuple[Field, ...]]:
    """Return the fields in blocks: files together, and what is between them together."""
    blocks: list[list[Field]] = []
    for field in fields:
        if blocks and (blocks[-1][0].kind in FILES) == (field.kind in FILES):
            blocks[-1].append(field)
        else:
            blocks.append([field])
    return [tuple(each) for each in blocks]


def _by_node(
    fields: Iterable[Field], graph: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, tuple[tuple[str, Field], ...]]]:
    """Yield each node's title with its fields, in the graph's order; those of one field share a last group untitled."""
    nodes: dict[str, list[tuple[str, Field]]] = {}
    titles: dict[str, str] = {}
    for field in fields:
        node_id, name = place_of(graph, field.key)
        said = _said(name)
        nodes.setdefault(node_id, []).append((f"{said[:1].upper()}{said[1:]}", field))
        titles[node_id] = field.title.removesuffix(f": {said}")
    grouped = {node_id: nodes[node_id] for node_id in graph if node_id in nodes}
    yield from ((titles[node_id], tuple(found)) for node_id, found in grouped.items() if len(found) > 1)
    alone = tuple((label_of(found[0][1]), found[0][1]) for found in grouped.values() if len(found) == 1)
    if alone:
        yield "", alone


def label_of(field: Field) -> str:
    """Return a field's title; of a text or seed that the author has not titled what it is for."""
    if field.titled:
        return field.title
    usual = {Role.PROMPT: texts.OWN_PROMPT, Role.NEGATIVE: texts.OWN_NEGATIVE}
    return usual.get(field.role, texts.OWN_SEED if field.kind is Kind.SEED else field.title)


def drawn(field: Field, label: str = "") -> Drawn:
    """Return what the browser needs to draw a field that is no file."""
    told: Drawn = {
        "key": field.key,
        "id": id_of(field),
        "label": label or label_of(field),
        "kind": str(field.kind),
        "value": shown_value(field).value,
    }
    if field.kind is Kind.CHOICE:
        told["choices"] = [str(each) for each in field.choices]
        told["value"] = None if told["value"] is None else str(told["value"])
    if field.lines:
        told["lines"] = 4 if field.role is Role.PROMPT else 2
    if field.kind in (Kind.INTEGER, Kind.NUMBER, Kind.SEED):
        told["step"] = (field.step or "any") if field.kind is Kind.NUMBER else 1
        if field.is_limited:
            told |= {"min": field.minimum, "max": field.maximum}
    return told


def drawn_groups(layout: Layout) -> list[Drawn]:
    """Return what the browser needs to draw the folded fields; a few need no groups."""
    if not layout.folded:
        return []
    titles = {title for title, _ in layout.folded}
    if layout.folded_count <= FEW or len(titles) == 1:
        alone = len(titles) == 1  # the fold is about one node, so that its fields' names tell enough
        rows = [drawn(field, label if alone else "") for _, group in layout.folded for label, field in group]
        return [{"title": "", "fields": rows}]
    return [
        {"title": title or texts.OTHER_INPUTS, "fields": [drawn(field, label) for label, field in group]}
        for title, group in layout.folded
    ]


def id_of(field: Field) -> str:
    """Return the HTML id of a field."""
    return f"field-{field.key.replace('.', '-')}"


def given_values(fields: Sequence[Field], edits: Iterable[Any]) -> dict[str, Any]:
    """Return the values by key that the browser has for fields that are no files.

    Args:
        fields: The form's fields.
        edits: What each of its parts sends: the edited values by key, or nothing.

    Raises:
        RequestError: It is not what the page sends.
    """
    # a value that does not fit is replaced by what the field shows instead
    given = {each.key: shown.value for each in fields if not (shown := shown_value(each)).fits}
    given = {key: value for key, value in given.items() if value is not None}
    known = {each.key for each in fields if each.kind not in FILES}
    for part in edits:
        if not part:
            continue
        if not isinstance(part, Mapping) or not known.issuperset(part):
            raise RequestError(words.NOT_UNDERSTOOD, words.RELOAD)
        given |= part
    return given


@dataclass(frozen=True, slots=True)
class Shown:
    """A field's initial value.

    Attributes:
        value: The value; empty if the workflow's does not fit.
        fits: Whether it is the workflow's value.
    """

    value: Any
    fits: bool = True


def shown_value(field: Field) -> Shown:
    """Return a field's initial value. A workflow may have any value in any input, such as a list for a number."""
    value = field.value
    match field.kind:
        case Kind.PICTURE | Kind.SOUND | Kind.CLIP:
            return Shown(None)
        case Kind.SWITCH:
            return Shown(bool(value), fits=value in (True, False))
        case Kind.CHOICE:
            return Shown(value) if value in field.choices else Shown(None, fits=False)
        case Kind.TEXT:
            is_text = isinstance(value, str) or _as_number(value) is not None
            return Shown(str(value)) if is_text else Shown("", fits=False)
    number = _as_number(value) if field.kind is Kind.NUMBER else _as_whole(value)
    if number is None or not _is_within(field, number):
        return Shown(None, fits=False)
    return Shown(str(number) if abs(number) > MOST_EXACT else number)


def _as_number(value: Any) -> int | float | None:
    """Return the number in an input's value, or None if there is none that a browser represents exactly."""
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -MOST_EXACT <= value <= MOST_EXACT else None


def _as_whole(value: Any) -> int | None:
    """Return the whole number in an input's value, such as a seed of 64 bits, or None if there is none."""
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER:
        with contextlib.suppress(ValueError):
            value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        value = _as_number(value)
    return None if value is None or value != int(value) or abs(value) > _MOST_WHOLE else int(value)


def _is_within(field: Field, number: float) -> bool:
    if not field.is_limited or field.minimum is None or field.maximum is None:
        return True
    return field.minimum <= number <= field.maximum
