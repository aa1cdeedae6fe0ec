"""Command line options from a mode's declaration: one for each parameter, with its type."""

import re
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import click
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from ltx_studio.modes import MAX_SEED, Mode, UserLora

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")


class NumberType(click.types.FloatParamType):
    """A decimal number with a point."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(value)
        except ValueError:
            if _DECIMAL_COMMA.fullmatch(str(value)):
                self.fail(f"{value!r} has a decimal comma. Use a point: {value.replace(',', '.')}.", param, ctx)
            self.fail(f"{value!r} is not a number.", param, ctx)


_KINDS: dict[Any, Any] = {int: click.INT, float: NumberType(), str: click.STRING, bool: click.BOOL}


class LoraType(click.ParamType[dict[str, Any]]):
    """``FILE`` or ``FILE:STRENGTH``."""

    name = "file[:strength]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        try:
            return UserLora.written(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def options_of(mode: Mode) -> list[click.Parameter]:
    """Return the options of a mode, required ones first."""
    fields = mode.params.model_fields
    return [_option(name, fields[name]) for name in sorted(fields, key=lambda name: not _is_needed(name, fields[name]))]


def flag(name: str) -> str:
    """Return the option of a parameter. Lists take one item per option, so their option is in the singular."""
    return f"--{name.replace('_', '-').removesuffix('s') if name == 'loras' else name.replace('_', '-')}"


def told(name: str, field: FieldInfo) -> str:
    """Return the description of a parameter, with its default and range."""
    return f"{field.description or field.title}{_hints(name, field)}"


def _is_needed(name: str, field: FieldInfo) -> bool:
    return field.is_required() and name not in ("width", "height", "seconds")


def _option(name: str, field: FieldInfo) -> click.Option:
    many = get_origin(field.annotation) is tuple
    return click.Option(
        [flag(name), name],
        type=_type(field.annotation),
        multiple=many,
        default=None,
        help=told(name, field),
    )


def _hints(name: str, field: FieldInfo) -> str:
    """Return the default and the range, in brackets."""
    value, hints = field.default, []
    if _is_needed(name, field):
        hints.append("required")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        hints.append(f"{value:g}")
    elif isinstance(value, str) and value:
        hints.append(value)
    choices = _type(field.annotation)
    if isinstance(choices, click.Choice):
        hints.append(f"one of: {', '.join(map(str, choices.choices))}")
    limits = {type(limit): limit for limit in field.metadata}
    if Ge in limits and Le in limits:
        hints.append(f"from {limits[Ge].ge:g} to {limits[Le].le:g}" if limits[Le].le < MAX_SEED else "0 or more")
    return f" [{'; '.join(hints)}]" if hints else ""


def _type(annotation: Any) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        (annotation,) = (argument for argument in arguments if argument is not type(None))
        return _type(annotation)
    if origin is Literal:
        return click.Choice(arguments)
    if origin is tuple and arguments[0] is UserLora:
        return LoraType()
    if annotation is Path:
        return click.Path(path_type=Path)
    return _KINDS[annotation]


class FileOf(click.ParamType[tuple[str, Path]]):
    """``NAME=PATH``."""

    name = "name=path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path]:
        if isinstance(value, tuple):
            return value
        name, equals, path = str(value).partition("=")
        if not equals or not name or not path:
            self.fail(f"{value!r} is not NAME=PATH, such as image=picture.png", param, ctx)
        return name, Path(path)


class ValueOf(click.ParamType[tuple[str, str]]):
    """``FIELD=VALUE``."""

    name = "field=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, given = str(value).partition("=")
        if not equals or not name:
            self.fail(f"{value!r} is not FIELD=VALUE, such as Seed=7", param, ctx)
        return name.strip(), given
