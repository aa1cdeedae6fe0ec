"""The list in which the editor stores a node's values, read and written in the editor's order."""

from typing import Any

import pytest

from ltx_studio.editor_format.widgets import stored_values, widget_values
from ltx_studio.graph.definitions import Definitions

SAVED: dict[str, tuple[str, list[Any], dict[str, Any]]] = {
    "mask": ("LoadImageMask", ["a.png", "red", "image"], {"image": "a.png", "channel": "red"}),
    "picture": ("LoadImage", ["a.png", "image"], {"image": "a.png"}),
    "clip": ("LoadVideo", ["a.mp4", "image"], {"file": "a.mp4"}),
    "sound": ("LoadAudio", ["a.mp3", None, None], {"audio": "a.mp3"}),
    "drawing": (
        "Painter",
        ["a.png", 320, 256, "#ff0000"],
        {"mask": "a.png", "width": 320, "height": 256, "bg_color": "#ff0000"},
    ),
    "3D": (
        "Load3D",
        ["a.glb", "upload3dmodel", "uploadExtraResources", "clear", "", 320, 256],
        {"model_file": "a.glb", "width": 320, "height": 256},
    ),
}
"""Name → (class, what the editor 1.47.12 saves, the values in it)."""


@pytest.mark.parametrize("name", SAVED)
def test_values_stand_in_the_editors_order(name: str, definitions: Definitions) -> None:
    class_type, saved, values = SAVED[name]

    assert widget_values({"type": class_type, "widgets_values": saved}, definitions) == values
    assert stored_values(class_type, values, definitions) == saved


def test_the_value_of_an_upload_button_may_be_absent(definitions: Definitions) -> None:
    node = {"type": "LoadImageMask", "widgets_values": ["a.png", "red"]}

    assert widget_values(node, definitions) == {"image": "a.png", "channel": "red"}
