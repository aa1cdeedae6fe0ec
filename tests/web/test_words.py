"""The page's words."""

import ast
import inspect
from collections import Counter

from ltx_studio.web import words


def test_no_word_is_given_two_meanings() -> None:
    names = Counter(
        target.id
        for node in ast.parse(inspect.getsource(words)).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    )

    assert [name for name, count in names.items() if count > 1] == []
