"""Errors that pydantic finds in a request, in the user's words."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import RequestError
from ltx_studio.text.formatting import quoted

_NO_NUMBER = "is not a number"
_NO_WHOLE_NUMBER = "is not a whole number"

_WORDS = {
    "missing": "is missing",
    "string_type": "is not text",
    "string_unicode": "is not valid text",
    "string_too_long": "is too long: the limit is {max_length} characters",
    "too_long": "exceed the limit of {max_length}",
    "greater_than_equal": "is too small: the minimum is {ge}",
    "less_than_equal": "is too large: the maximum is {le}",
    "finite_number": _NO_NUMBER,
    "float_type": _NO_NUMBER,
    "float_parsing": _NO_NUMBER,
    "int_type": _NO_WHOLE_NUMBER,
    "int_parsing": _NO_WHOLE_NUMBER,
    "int_parsing_size": _NO_WHOLE_NUMBER,
    "int_from_float": _NO_WHOLE_NUMBER,
    "literal_error": "is not one of the choices",
    "path_type": "is not a path",
    "tuple_type": "is not a list",
    "model_type": "is not an object",
    "model_attributes_type": "is not an object",
}
"""Our words for each pydantic error type; other types keep pydantic's words."""

_MISSING = {"prompt": "Write a prompt."}
"""Remedies for missing values; missing files are refused earlier."""


def request_error(label: str, mode_id: str, params: type[BaseModel], error: ValidationError) -> RequestError:
    """Return the first problem: what is wrong and what to do."""
    problem = error.errors(include_url=False)[0]
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden" and len(problem["loc"]) > 1:
        field = _entry(params, problem["loc"][:-1])
        return RequestError(f"{field} has no setting {quoted(problem['loc'][-1])}.", "Remove it.")
    if problem["type"] == "extra_forbidden":
        return RequestError(f"{label} has no setting {quoted(name)}.", f"Use one of: {', '.join(params.model_fields)}.")
    context = problem.get("ctx", {})
    if problem["type"] == "refused":
        return RequestError(f"{problem['msg']}.", context["hint"])
    title, hint = _remedy(params, problem["loc"])
    if problem["type"] == "missing":
        hint = _MISSING.get(name, "")
    advice = None if hint else Advice.to(Do.SEE_MODE, mode=mode_id)
    known = _WORDS.get(problem["type"])
    what = known.format(**_numbers(context)) if known else f"is not valid: {_lower(problem['msg'])}"
    given = problem.get("input")
    is_shown = (
        isinstance(given, int | float | str) and not isinstance(given, bool) and "too_long" not in problem["type"]
    )
    said = f"given: {quoted(given) if isinstance(given, str) else given}"
    shown = f" ({said})" if is_shown else ""
    return RequestError(f"{title} {what}{shown}.", hint or "Correct it.", advice=advice)


def _numbers(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an error without the ``.0`` of whole numbers."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in context.items()
    }


def _entry(params: type[BaseModel], place: tuple[int | str, ...]) -> str:
    """Return the title of a parameter and of the value inside of it, such as ``LoRA 1: strength``."""
    name, *inner = place
    title = str(params.model_fields[str(name)].title) if name in params.model_fields else str(name)
    if inner and isinstance(inner[0], int):
        title = f"{title.removesuffix('s')} {inner[0] + 1}"
        inner = inner[1:]
    return f"{title}: {'.'.join(map(str, inner))}" if inner else title


def _remedy(params: type[BaseModel], place: tuple[int | str, ...]) -> tuple[str, str]:
    """Return the title of a parameter, and what to do about an invalid value, as far as its declaration says."""
    if not place:
        return "The request", ""
    described = params.model_json_schema()
    schema = described["properties"].get(str(place[0]), {})
    if len(place) > 2:  # a value of an entry of a list
        inner = schema.get("items", {}).get("$ref", "").rpartition("/")[2]
        schema = described.get("$defs", {}).get(inner, {}).get("properties", {}).get(str(place[2]), {})
    elif len(place) > 1:
        schema = {}
    title = _entry(params, place)
    if "minimum" in schema and "maximum" in schema:
        return title, "Use a value from {minimum} to {maximum}.".format(**_numbers(schema))
    if "maxLength" in schema:
        return title, f"Use text of at most {schema['maxLength']} characters."
    if "enum" in schema:
        return title, f"Choose one of: {', '.join(schema['enum'])}."
    return title, ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
