"""The order of a workflow's form: what its author has chosen, then prompts and files, then the rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ltx_studio.graph.form import FILES, Field, Kind, Others, Role, is_expression
from ltx_studio.graph.prompts import is_negative, negative_nodes, prompts_of

_USUAL = ("width", "height", "size", "resolution", "duration", "length", "seconds", "frames", "fps", "rate")
"""Words in the titles of what most people change, in their order."""


def arranged(graph: Mapping[str, Mapping[str, Any]], fields: Iterable[Field]) -> list[Field]:
    """Return the fields with their roles, in the order in which people look for them.

    Formulas are left out, unless their node refuses them: only the workflow's author understands them.
    """
    prompts, negative = set(prompts_of(graph)), negative_nodes(graph)
    found = [replace(each, role=_role(each, prompts, negative)) for each in fields]
    return sorted((each for each in found if not (each.fits and is_expression(each))), key=_rank)


def with_chosen(fields: Sequence[Field], chosen: Iterable[tuple[str, str, str]], others: Others) -> list[Field]:
    """Return the form with the inputs that the author has chosen in front.

    Args:
        fields: The form.
        chosen: Node id, input and label of each; the label may be empty. Unknown ones are skipped.
        others: Finds inputs that the form leaves out.
    """
    known = {each.key: each for each in fields}
    first: dict[str, Field] = {}
    for node_id, name, label in chosen:
        key = f"{node_id}.{name}"
        field = known.get(key) or others(key)
        if field is not None:
            title = field.title if field.titled else _as_title(label or name)
            first[key] = replace(field, title=title, chosen=True, titled=True)
    return [*first.values(), *(each for each in fields if each.key not in first)]


def _as_title(name: str) -> str:
    words = name.rpartition(".")[2].replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}"


def _role(field: Field, prompts: set[str], negative: set[str]) -> Role:
    if not field.lines:
        return Role.NONE
    if is_negative(field.title) or field.key.rpartition(".")[0] in negative:
        return Role.NEGATIVE
    is_one = isinstance(field.value, str) and field.value in prompts  # a broken file may have anything here
    return Role.PROMPT if is_one or "prompt" in field.title.casefold() else Role.NONE


def _rank(field: Field) -> tuple[int, int]:
    if field.role is Role.PROMPT:
        return 0, 0
    if field.kind in FILES:
        return 1, 0
    if field.role is Role.NEGATIVE:
        return 2, 0
    if field.kind is Kind.SEED:
        return 4, 0
    title = field.title.casefold()
    place = next((index for index, word in enumerate(_USUAL) if word in title), len(_USUAL))
    return (3, place) if field.titled and not field.lines else (5, 0)
