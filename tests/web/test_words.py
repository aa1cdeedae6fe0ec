"""The page's words."""

import ast
import inspect
from collections import Counter

from ltx_studio.web import words
from ltx_studio.web.panels import texts


def test_no_word_is_given_two_meanings() -> None:
    names = Counter(
        target.id
        for module in (words, texts)
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    )

    assert [name for name, count in names.items() if count > 1] == []
