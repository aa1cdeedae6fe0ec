"""Errors that pydantic finds in a request, in the user's words."""

from pydantic import BaseModel, ValidationError

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import RequestError
from ltx_studio.text.formatting import quoted

_WORDS = {
    "missing": "is missing",
    "string_too_long": "is too long: at most {max_length} characters",
    "too_long": "are too many: at most {max_length}",
    "greater_than_equal": "is too small: at least {ge}",
    "less_than_equal": "is too large: at most {le}",
    "finite_number": "is no number",
    "literal_error": "is none of the choices: {expected}",
}
"""Our words for each pydantic error type; other types keep pydantic's words."""


def request_error(label: str, mode_id: str, params: type[BaseModel], error: ValidationError) -> RequestError:
    """Return the first problem: what is wrong and what to do."""
    problem = error.errors(include_url=False)[0]
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden" and len(problem["loc"]) > 1:
        return RequestError(
            f"{params.model_fields[name].title} does not take {quoted(problem['loc'][-1])}.", "Remove it."
        )
    if problem["type"] == "extra_forbidden":
        return RequestError(f"{label} does not take {quoted(name)}.", f"It takes: {', '.join(params.model_fields)}.")
    context = problem.get("ctx", {})
    if problem["type"] == "refused":
        return RequestError(f"{problem['msg']}.", context["hint"])
    title, hint = _remedy(params, name)
    advice = None if hint else Advice.to(Do.SEE_MODE, mode=mode_id)
    if len(problem["loc"]) > 1:
        title = f"{title} {'.'.join(str(part) for part in problem['loc'][1:])}"
    known = _WORDS.get(problem["type"])
    what = known.format(**context) if known else f"is wrong: {_lower(problem['msg'])}"
    given = problem.get("input")
    shown = f" (given: {given})" if isinstance(given, int | float) and not isinstance(given, bool) else ""
    return RequestError(f"{title} {what}{shown}.", hint or "Correct it.", advice=advice)


def _remedy(params: type[BaseModel], name: str) -> tuple[str, str]:
    """Return the title of a parameter, and what to do about an invalid value, as far as its declaration says."""
    schema = params.model_json_schema()["properties"].get(name, {})
    title = str(schema.get("title", name))
    if "minimum" in schema and "maximum" in schema:
        return title, f"Choose {title.lower()} from {schema['minimum']} to {schema['maximum']}."
    if "maxLength" in schema:
        return title, f"Write a {title.lower()} of at most {schema['maxLength']} characters."
    if "enum" in schema:
        return title, f"Choose one of: {', '.join(schema['enum'])}."
    return title, ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
