"""Decide whether an untrusted workflow may run: what its nodes can do, and where they would read and write.

Of ComfyUI's own nodes, `core_nodes.txt` lists those that compute, load models by name, read an uploaded file, or save
below the output folder. It leaves out those that write models or data sets, read folders or other people's outputs, or
run code from the workflow, including regular expressions, which may take forever.

File and folder names (`paths`) must be known before anything runs: written in place, or composed of
literals (`constants`). `engine.handover` checks again what each node really receives.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.constants import Constants, Values
from ltx_studio.graph.definitions import Definitions, Input, unknown_nodes
from ltx_studio.graph.form import FILES, PATHS
from ltx_studio.graph.formulas import CHECKS, FormulaError, Formulas
from ltx_studio.graph.graph import is_link
from ltx_studio.graph.model_inputs import loader_table
from ltx_studio.graph.path_inputs import UPLOADS, leaves, names_a_file, path_table, texts, unwrapped
from ltx_studio.graph.values import require_text

LONGEST_PREFIX = 100
"""Bytes of an output's name: a file system allows 255 bytes including what ComfyUI adds."""

_HINT = "Enter a plain name in the node."
_OBJECTS = ("FILE_3D", "FILE_3D_GLB", "FILE_3D_GLTF", "FILE_3D_FBX", "FILE_3D_OBJ", "FILE_3D_STL", "FILE_3D_USDZ")
"""Kinds that carry a file itself, not its name; an input that accepts both receives the file."""

_STRUCTURED = "LOAD_3D"
"""Kind whose value is an object that names several files."""


@lru_cache(maxsize=1)
def harmless() -> frozenset[str]:
    """Return the node classes that run without confirmation."""
    text = (files("ltx_studio.graph") / "core_nodes.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def is_examined(class_type: str) -> bool:
    """Return whether the tables of files and folders cover the class."""
    return class_type in harmless() or class_type in path_table()


def check_safety(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions, *, trusted: bool) -> None:
    """Refuse an unsafe graph before any of it runs.

    Args:
        graph: API format.
        definitions: The node definitions of the ComfyUI that would run it.
        trusted: Whether the user has allowed nodes that may do anything. Paths stay confined nevertheless.

    Raises:
        WorkflowError: The first reason: a missing class, one that needs permission, or a path that leaves the
            studio's folders.
    """
    check_known(graph, definitions)
    doubtful = sorted({str(node["class_type"]) for node in graph.values()} - harmless())
    if doubtful and not trusted:
        raise WorkflowError(
            f"The workflow uses nodes that may access files outside the studio or run code: {', '.join(doubtful)}.",
            "If you trust its author, allow its nodes.",
            advice=Advice.to(Do.TRUST),
        )
    constants, formulas = Constants(graph), Formulas()
    declared: dict[str, Sequence[Input]] = {}
    for node in graph.values():
        if node["class_type"] not in declared:
            declared[node["class_type"]] = definitions.inputs(node["class_type"])
        known = dict(_declared(declared[node["class_type"]], node["inputs"], ""))
        for name, value in node["inputs"].items():
            _Given(node, name, value, known.get(name), _made_by(graph, value, definitions), constants, formulas).check()


def check_known(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions) -> None:
    """Refuse a graph with unknown node classes.

    Raises:
        WorkflowError: It names them.
    """
    missing = {str(node["class_type"]): "" for node in graph.values() if node["class_type"] not in definitions}
    if missing:
        raise unknown_nodes(missing)


def _declared(inputs: Sequence[Input], given: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Input]]:
    """Yield (dotted name, declaration); for an unknown dynamic choice, the inputs of every choice."""
    for item in inputs:
        name = prefix + item.name
        yield name, item
        if item.is_dynamic:
            value = unwrapped(given.get(name))
            for key in [value] if value in item.choices else item.choices:
                yield from _declared(item.chosen(key), given, f"{name}.")


def _made_by(graph: Mapping[str, Mapping[str, Any]], value: Any, definitions: Definitions) -> str:
    """Return the kind of the output that a link leads to; empty if unknown."""
    if not is_link(value) or value[0] not in graph:
        return ""
    kinds = definitions.outputs(graph[value[0]]["class_type"])
    return kinds[value[1]] if 0 <= value[1] < len(kinds) else ""


class _Given:
    """An input of a node, with the values that can reach it."""

    def __init__(
        self,
        node: Mapping[str, Any],
        name: str,
        value: Any,
        declared: Input | None,
        made_as: str,
        constants: Constants,
        formulas: Formulas,
    ) -> None:
        self._class = str(node["class_type"])
        self._title = str(node.get("_meta", {}).get("title") or self._class)
        self._name = name
        self._value = value
        self._declared = declared
        self._made_as = made_as
        self._constants = constants
        self._formulas = formulas

    def check(self) -> None:
        if _is_like_a_link(self._value) and not is_link(self._value):
            raise self._refused("hides a link to another node", "Reconnect it in ComfyUI's editor.")
        if is_link(self._value) and self._declared is not None and self._declared.is_dynamic:
            raise self._refused("comes from another node, but determines the node's inputs", "Choose it in the node.")
        if self._made_as in _OBJECTS:
            return
        if names_a_file(self._class, self._name, self._declared, examined=is_examined(self._class)):
            self._check_file()
        elif not is_examined(self._class):
            self._check_texts(self._reaching() or ())
        elif is_link(self._value) and self._declared is not None and self._declared.choices:
            self._check_choices(self._declared.choices)
        if (self._class, self._name) in CHECKS:
            self._check_formula()

    def _reaching(self) -> Values | None:
        return self._constants.reaching(self._value)

    def _check_file(self) -> None:
        values = self._reaching()
        if values is None or (is_link(self._value) and self._is_wanted_beforehand()):
            raise self._refused("comes from another node, so its file cannot be checked before the run", _HINT)
        for value in values:
            if not isinstance(value, str | None) and not self._takes_objects():
                raise self._refused("is not text, so its file cannot be checked before the run", _HINT)
            if self._name.rpartition(".")[2] in PATHS:
                self._check_length(str(value))
        self._check_texts(values)

    def _is_wanted_beforehand(self) -> bool:
        """Return whether the file must exist before the run: a model's, or one that the user provides."""
        options = self._declared.options if self._declared is not None else {}
        by_user = any(options.get(known_by) for known_by in (*FILES.values(), *UPLOADS))
        return by_user or self._name in loader_table().get(self._class, {})

    def _takes_objects(self) -> bool:
        return self._declared is not None and self._declared.kind == _STRUCTURED

    def _check_length(self, text: str) -> None:
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > LONGEST_PREFIX:
            raise self._refused(f"has {size} bytes", f"Use at most {LONGEST_PREFIX} bytes.")

    def _check_texts(self, values: Values) -> None:
        for text in texts(list(values)):
            require_text(text, f"{self._title}: {self._name}")
            if leaves(text):
                can_be = "can be" if is_link(self._value) else "is"
                raise self._refused(f"{can_be} {text[:200]!r}, which is outside the studio's folders", _HINT)

    def _check_choices(self, choices: list[Any]) -> None:
        """Refuse connected values that are not among the choices: ComfyUI checks only literal ones."""
        for value in self._reaching() or ():
            if value not in choices:
                few = ", ".join(str(choice) for choice in choices[:6])
                raise self._refused(
                    f"can be {str(value)[:200]!r}, which is not one of its choices", f"Choose one of: {few}."
                )

    def _check_formula(self) -> None:
        values = self._reaching()
        if values is None:
            raise self._refused(
                "comes from another node, so it cannot be checked before the run", "Enter it in the node."
            )
        for value in values:
            try:
                self._formulas.check(self._class, self._name, str(unwrapped(value)))
            except FormulaError as error:
                raise self._refused(f"has {error}, which is not allowed", "Use a simpler one.") from None

    def _refused(self, what: str, hint: str) -> WorkflowError:
        return WorkflowError(f"{self._title}: {self._name} {what}.", hint, where=self._title)


def _is_like_a_link(value: Any) -> bool:
    """Return whether ComfyUI may take a value for a link, at once or after unwrapping it."""
    inner = unwrapped(value)
    return (
        isinstance(inner, list) and len(inner) == 2 and isinstance(inner[0], str) and isinstance(inner[1], int | float)
    )
