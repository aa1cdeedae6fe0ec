"""Checks of the small languages in nodes' texts: formulas, format patterns, lists of sigmas.

The nodes trust these texts: a formula may call methods of any connected object, a format pattern
may look inside it, and all three may occupy a core forever while holding the GIL, which blocks even a stop.
"""

import ast
import re
import string
from collections.abc import Callable, Mapping

from ltx_studio import limits
from ltx_studio.errors import WorkflowError

LONGEST_FORMULA = 1_000
LONGEST_SIGMAS = 4_000
"""Characters. ComfyUI's pattern for sigmas takes quadratic time in a run of dots."""

LARGEST_EXPONENT = 64
_FUNCTIONS = {
    *("sum", "min", "max", "abs", "round", "pow", "sqrt", "ceil", "floor"),
    *("log", "log2", "log10", "sin", "cos", "tan", "int", "float"),
}
_PARTS = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Name, ast.Constant),
    *(ast.Subscript, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context),
)


class FormulaError(ValueError):
    """An error whose text names, as a phrase, what is not allowed."""


def check_formula(text: str) -> None:
    """Refuse formulas that do more than arithmetic on connected numbers.

    Raises:
        FormulaError: It contains something that is not allowed.
    """
    if len(text) > LONGEST_FORMULA:
        raise FormulaError(f"more than {LONGEST_FORMULA:,} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError("an invalid formula") from None
    for node in ast.walk(tree):
        _check_part(node)
    if sum(isinstance(power[1], ast.Name) for power in map(_power, ast.walk(tree)) if power is not None) > 1:
        raise FormulaError("more than one power with a connected exponent")


def has_connected_exponent(text: str) -> bool:
    """Return whether a checked formula has a connected number as an exponent."""
    powers = map(_power, ast.walk(ast.parse(text.strip(), mode="eval")))
    return any(power is not None and isinstance(power[1], ast.Name) for power in powers)


def _check_part(node: ast.AST) -> None:
    if not isinstance(node, _PARTS):
        raise FormulaError("something other than arithmetic")
    if isinstance(node, ast.Constant) and not isinstance(node.value, int | float):
        raise FormulaError("a string")
    if isinstance(node, ast.Call):
        if not (isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS):
            raise FormulaError("an unknown function")
        if node.func.id == "round":
            _check_small(node.args[1:], LARGEST_EXPONENT)  # Python computes 10 ** -digits
    if (power := _power(node)) is not None:
        base, exponent = power
        if isinstance(exponent, ast.Name):  # a connected number, which ComfyUI allows up to 4,000,000
            _check_small([base], 10)
        else:
            _check_small([exponent], LARGEST_EXPONENT)
        if any(_power(inner) is not None for inner in ast.walk(base)):
            raise FormulaError("a power of a power")


def _power(node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return node.left, node.right
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "pow" and len(node.args) == 2:
        return node.args[0], node.args[1]
    return None


def _check_small(numbers: list[ast.expr], most: int) -> None:
    for number in numbers:
        plain = number.operand if isinstance(number, ast.UnaryOp) else number
        value = plain.value if isinstance(plain, ast.Constant) else None
        if not isinstance(value, int | float) or value > most:
            raise FormulaError(f"a power or a rounding with an operand that is not a number up to {most}")


def check_format(pattern: str) -> None:
    """Refuse a `str.format` pattern that looks inside objects or asks for excessive widths.

    Raises:
        FormulaError: It contains something that is not allowed.
    """
    try:
        parts = list(string.Formatter().parse(pattern))
    except ValueError:
        raise FormulaError("unmatched braces") from None
    for _, name, spec, _ in parts:
        if name is not None and not name.isidentifier():
            raise FormulaError(f"{{{name}}}")
        if spec and (len(spec) > 20 or "{" in spec or any(int(digits) > 1000 for digits in re.findall(r"\d+", spec))):
            raise FormulaError(f"{{{name}:{spec}}}")


def check_sigmas(text: str) -> None:
    """Refuse a list of sigmas so long that ComfyUI's regular expression would not finish.

    Raises:
        FormulaError: It is too long.
    """
    if len(text) > LONGEST_SIGMAS:
        raise FormulaError(f"more than {LONGEST_SIGMAS:,} characters")


class Formulas:
    """The texts of one graph, each checked once, with a limit on the total that takes about a second."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str, str]] = set()
        self._characters = 0

    def check(self, class_type: str, name: str, text: str) -> None:
        """Refuse a text that is not safe in its input.

        Raises:
            FormulaError: It contains something that is not allowed.
            WorkflowError: The graph has too many of them.
        """
        if (class_type, name) not in CHECKS or (class_type, name, text) in self._seen:
            return
        self._characters += len(text)
        limits.FORMULAS.check(self._characters, "The workflow, in its formulas,", error=WorkflowError, is_partial=True)
        CHECKS[class_type, name](text)
        self._seen.add((class_type, name, text))


CHECKS: Mapping[tuple[str, str], Callable[[str], None]] = {
    ("ComfyMathExpression", "expression"): check_formula,
    ("StringFormat", "f_string"): check_format,
    ("ManualSigmas", "sigmas"): check_sigmas,
}
"""The check for the texts of each (class, input)."""
