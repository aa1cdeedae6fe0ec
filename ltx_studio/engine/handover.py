"""Check node inputs at run time: file names stay in the studio's folders, choices and numbers are valid.

ComfyUI checks values that are written into an input, but not those that another node passes at run time.
`graph.safety` refuses what cannot be known beforehand; this is the second line of defence, which sees values of every
origin: lists, lazy branches, graphs that nodes make themselves, and links that only ComfyUI treats as links.
"""

import inspect
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ltx_studio import limits
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Input
from ltx_studio.graph.formulas import CHECKS, FormulaError, has_connected_exponent
from ltx_studio.graph.path_inputs import leaves, names_a_file, path_table, texts
from ltx_studio.graph.safety import is_examined

_NUMBERS = {"INT", "FLOAT", "BOOLEAN"}
_FORMULA = ("ComfyMathExpression", "expression")
LARGEST_CONNECTED_EXPONENT = 10_000
"""The largest connected number in a formula with an exponent: a larger power takes seconds, with Python's lock held."""
_MULTIPLIED: Mapping[str, tuple[str, str]] = {
    "StringReplace": ("string", "replace"),
    "RegexReplace": ("string", "replace"),
    "StringFormat": ("f_string", ""),
}
"""Class → the text that it changes, and the input that may be inserted into it many times (empty: all others)."""
_DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
HINT = "Enter the value in the node."


class Handover:
    """The run-time check. It needs ComfyUI's `execution`, for the declarations of inputs, and `folder_paths`."""

    def __init__(self, execution: Any, folder_paths: Any) -> None:
        self._execution = execution
        self._folder_paths = folder_paths

    def check(self, node: Mapping[str, Any], node_class: Any, given: Mapping[str, list[Any]]) -> None:
        """Refuse values that a node must not receive.

        Args:
            node: The node as in the graph.
            node_class: ComfyUI's class.
            given: Input → its values, more than one if the node is run for each item of a list.

        Raises:
            WorkflowError: A value is refused; the error names the input.
        """
        declared = node_class.INPUT_TYPES()
        known = self._finalized(node_class, declared, node["inputs"])
        free = self._checked_by_the_class(node_class)
        title = str(node.get("_meta", {}).get("title") or node["class_type"])
        _check_amounts(node["class_type"], title, given)
        for name, values in given.items():
            kind, category, options = self._execution.get_input_info(node_class, name, known)
            if category == "hidden":
                continue
            if category is None and _is_dynamic(declared, name):
                raise _refused(title, name, "a choice from another node")
            item = Input(name, *_normal(kind, options), category == "required") if kind is not None else None
            for value in _values(values):
                self._check_value(node["class_type"], title, name, item, value, is_free=free is None or name in free)

    def _check_value(
        self, class_type: str, title: str, name: str, item: Input | None, value: Any, *, is_free: bool
    ) -> None:
        if names_a_file(class_type, name, item, examined=is_examined(class_type)):
            for text in texts(value):
                if leaves(text) or self._leads_out(class_type, name, text):
                    raise _refused(title, name, f"{text[:200]!r}, which is outside the studio's folders")
        if (class_type, name) in CHECKS:
            try:
                CHECKS[class_type, name](str(value))
            except FormulaError as error:
                raise _refused(title, name, f"{error}, which is not allowed") from None
        if item is None:
            return
        if item.kind == "COMBO" and not is_free:
            many = item.options.get("multiselect") and isinstance(value, list)
            for each in value if many else [value]:
                if each not in item.choices:
                    raise _refused(title, name, f"{str(each)[:200]!r}, which is not one of its choices")
        elif not _is_plain(value, set(item.kind.split(","))):
            raise _refused(title, name, f"{type(value).__name__}, but needs {item.kind}")

    def _leads_out(self, class_type: str, name: str, text: str) -> bool:
        """Return whether a folder among the inputs is, or contains, a link to another place."""
        if path_table().get(class_type, {}).get(name) != "input":
            return False
        root = Path(self._folder_paths.get_input_directory())
        folder = root / text
        if not folder.is_dir():
            return False
        found = (Path(at, each) for at, folders, names in os.walk(folder) for each in (*folders, *names))
        return any(not self._is_inside(root, each) for each in (folder, *(each for each in found if each.is_symlink())))

    def _is_inside(self, root: Path, path: Path) -> bool:
        return bool(self._folder_paths.is_within_directory(str(root), str(path)))

    def _finalized(self, node_class: Any, declared: Any, inputs: Mapping[str, Any]) -> Any:
        """Return the inputs of a node with the dynamic choices that it was given, as ComfyUI computes them."""
        if issubclass(node_class, self._execution._ComfyNodeInternal):
            return self._execution._io.get_finalized_class_inputs(declared, inputs)[0]
        return declared

    def _checked_by_the_class(self, node_class: Any) -> set[str] | None:
        """Return the inputs whose choices the class checks itself, None for all: ComfyUI leaves them to the class."""
        if issubclass(node_class, self._execution._ComfyNodeInternal):
            check = self._execution.first_real_override(node_class, "validate_inputs")
        else:
            check = getattr(node_class, "VALIDATE_INPUTS", None)
        if check is None:
            return set()
        parameters = inspect.getfullargspec(check)
        return None if parameters.varkw is not None else set(parameters.args)


def _check_amounts(class_type: str, title: str, given: Mapping[str, list[Any]]) -> None:
    """Refuse texts and lists that grew too large: a few nodes that double them are enough."""
    numbers: list[int | float] = []
    for name, values in given.items():
        where = f"{title}: {name}"
        limits.RUN_LIST.check(len(values), where, error=WorkflowError, where=title)
        plain = [value for value in values if isinstance(value, str | int | float | list | dict)]
        limits.RUN_TEXT.check(sum(map(len, texts(plain))), where, error=WorkflowError, where=title)
        numbers += (value for value in plain if isinstance(value, int | float))
    if class_type in _MULTIPLIED:
        limits.RUN_MADE.check(_length_made(class_type, given), f"{title}: its text", error=WorkflowError, where=title)
    formulas = given.get(_FORMULA[1], []) if class_type == _FORMULA[0] else []
    if any(abs(number) > LARGEST_CONNECTED_EXPONENT for number in numbers) and any(map(_has_exponent, formulas)):
        raise _refused(title, _FORMULA[1], f"an exponent above {LARGEST_CONNECTED_EXPONENT:,}")


def _has_exponent(formula: Any) -> bool:
    try:
        return has_connected_exponent(str(formula))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # refused elsewhere


def _length_made(class_type: str, given: Mapping[str, list[Any]]) -> int:
    """Return how many characters a node may produce, at most, from its input texts."""
    changed, put_in = _MULTIPLIED[class_type]
    others = [put_in] if put_in else [name for name in given if name != changed]
    longest = max((len(text) for name in others for text in texts(given.get(name, []))), default=0)
    places = max((len(text) for text in texts(given.get(changed, []))), default=0) + 1
    if class_type == "StringFormat":
        places = max((text.count("{") for text in texts(given.get(changed, []))), default=0)
    return places * longest


def _normal(kind: Any, options: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    return ("COMBO", {**options, "options": kind}) if isinstance(kind, list) else (str(kind), options)


def _is_dynamic(declared: Mapping[str, Any], name: str) -> bool:
    return any(declared.get(section, {}).get(name, ("",))[0] == _DYNAMIC_COMBO for section in ("required", "optional"))


def _values(values: list[Any]) -> Iterator[Any]:
    """Return the actual values, without ComfyUI's blockers and lazy inputs that were not requested yet."""
    return (value for value in values if value is not None and type(value).__name__ != "ExecutionBlocker")


def _is_plain(value: Any, kinds: set[str]) -> bool:
    """Return whether inputs of plain kinds receive plain data, which has no methods that could do harm.

    Libraries' single numbers count as plain, and lists of them. Text in place of a number could become part of a path.
    """
    if not kinds <= _NUMBERS | {"STRING"}:
        return True
    if kinds <= _NUMBERS and (isinstance(value, str | dict) or any(texts(value))):
        return False
    return isinstance(value, str | int | float | list | tuple | dict) or getattr(value, "ndim", None) == 0


def _refused(title: str, name: str, what: str) -> WorkflowError:
    return WorkflowError(f"{title}: {name} received {what}.", HINT, where=title)
