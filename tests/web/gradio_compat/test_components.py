"""The page's components differ from Gradio's in what they take from a browser, and leave Gradio's as they are."""

import subprocess
import sys
from pathlib import Path

import gradio as gr
import pytest

import ltx_studio.web.gradio_compat.components
from ltx_studio.web.gradio_compat.components import OF_PARAMETER, Choice, Picture, Slider

HOST = """
import gradio as gr
classes = [gr.Slider, gr.Image, gr.Dropdown]
before = [each.preprocess for each in classes]
import ltx_studio.web
assert [each.preprocess for each in classes] == before
assert gr.components.Slider is classes[0]
"""


def test_a_host_keeps_gradios_own_components() -> None:
    subprocess.run([sys.executable, "-c", HOST], check=True)

    written = Path(ltx_studio.web.gradio_compat.components.__file__).with_suffix(".pyi")
    assert not written.exists(), "Gradio writes a file of types beside components that it sees"


@pytest.mark.parametrize(("given", "taken"), [(5, 3), (-1, 0), (2, 2), (None, 0)])
def test_a_slider_takes_the_nearest_number(given: float | None, taken: float) -> None:
    assert Slider(0, 3).preprocess(given) == taken


def test_a_list_of_a_parameter_takes_what_is_ruled_out(tmp_path: Path) -> None:
    assert Choice(["a"], elem_classes=[OF_PARAMETER]).preprocess("b") == "b"
    with pytest.raises(gr.Error):
        Choice(["a"]).preprocess("b")


@pytest.mark.parametrize(("made", "name"), [(Slider, "slider"), (Picture, "image"), (Choice, "dropdown")])
def test_the_browser_shows_them_as_gradios(made: type[gr.components.Component], name: str) -> None:
    assert made().get_block_name() == name
