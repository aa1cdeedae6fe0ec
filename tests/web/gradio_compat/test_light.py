"""Gradio's import, as the page does it: in a process of its own, since here it is imported already."""

import subprocess
import sys

PROGRAM = """
import ast
parsed = []
parse = ast.parse
ast.parse = lambda source, *args, **named: (parsed.append(source), parse(source, *args, **named))[1]
import ltx_studio.web
from gradio import Textbox, component_meta
print(sum("class Textbox" in str(each) for each in parsed), component_meta.create_or_modify_pyi.__module__)
print(sum("Finder" in str(each) for each in __import__("sys").meta_path if "ltx_studio" in str(each)))
"""


def test_the_page_imports_gradio_without_parsing_its_components_and_leaves_it_as_it_is() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["0", "gradio.component_meta", "0"]
