"""Values for every event and error, made from their declaration, and a check that a value is of built-in types."""

import importlib
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ltx_studio import events
from ltx_studio.advice import Advice, Do
from ltx_studio.errors import Remedy, StudioError
from tests.support import ROOT

ADVICE = Advice.to(Do.PLACE_MODEL, file="a.safetensors", place="/models/{b}")
BUILT_IN = (str, int, float, bool, bytes, type(None))


def event_classes() -> list[type[Any]]:
    """Return the classes that the module declares."""
    found = [kind for kind in vars(events).values() if isinstance(kind, type) and is_dataclass(kind)]
    return [kind for kind in found if kind.__module__ == events.__name__]


def error_classes() -> list[type[StudioError]]:
    """Return every class of error in the package, wherever it is declared."""
    for path in (ROOT / "ltx_studio").rglob("*.py"):
        if re.search(r"^class \w+Error\(", path.read_text(encoding="utf-8"), re.MULTILINE):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return [kind for kind in _with_subclasses(StudioError) if kind.__module__.startswith("ltx_studio.")]


def error_of(kind: type[StudioError]) -> StudioError:
    return kind(
        "It broke.",
        "Mend it.",
        advice=Advice(ADVICE.do, ADVICE.given, Do.USE_POCKET),
        where="Stage 1",
        details="Traceback …",
        remedies=[Remedy.FETCH, Remedy.RETRY],
        files=["a/b"],
    )


def event_of(kind: type[Any]) -> Any:
    """Return an event whose attributes all differ from their defaults."""
    hints = get_type_hints(kind)
    return kind(**{each.name: _value(hints[each.name]) for each in fields(kind)})


def odd_parts(value: object) -> Iterator[object]:
    """Give what is in a value and is not exactly of a built-in type, such as a `StrEnum`."""
    if type(value) is dict:
        for pair in value.items():
            yield from (odd for part in pair for odd in odd_parts(part))
    elif type(value) is list:
        yield from (odd for part in value for odd in odd_parts(part))
    elif type(value) not in BUILT_IN:
        yield value


GRAPH = Mapping[str, Mapping[str, Any]]

_VALUES: Mapping[Any, Callable[[], Any]] = {
    GRAPH: lambda: {"1": {"class_type": "A", "inputs": {"x": 1, "y": ["2", 0]}}},
    str: lambda: "a text",
    int: lambda: 7,
    float: lambda: 1.5,
    bytes: lambda: b"jpeg",
    Path: lambda: Path("/clips/clip.mp4"),
    StudioError: lambda: error_of(StudioError),
}


def _value(hint: Any) -> Any:
    """Return a value of a declared type; a new kind of type has to be added here."""
    if get_origin(hint) is Literal:
        return get_args(hint)[-1]
    if get_origin(hint) is tuple:
        return (_value(get_args(hint)[0]), _value(get_args(hint)[0]))
    if isinstance(hint, types.UnionType):
        return _value(get_args(hint)[0])
    return event_of(hint) if isinstance(hint, type) and is_dataclass(hint) else _VALUES[hint]()


def _with_subclasses(kind: type[StudioError]) -> Iterator[type[StudioError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _with_subclasses(each)
