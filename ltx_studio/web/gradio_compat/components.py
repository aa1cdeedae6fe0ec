"""Gradio's components as the page uses them, as subclasses, so that a host page keeps Gradio's own.

Each overrides only `preprocess`, because of a fault of Gradio 6.31; `is_template` has the browser show them as their
base class. Remove one when Gradio accepts such a value without an error.
"""

from typing import Any

import gradio as gr

OF_PARAMETER = "of-parameter"
"""The CSS class of lists whose choices `Form.tell` narrows."""


class Slider(gr.Slider):
    """A slider that takes the nearest legal number, as it does in the browser when its field loses the focus.

    Gradio's raises for a number out of range, and its browser side then forgets the event that followed.
    """

    is_template = True

    def preprocess(self, payload: float | None) -> float:
        """Return the nearest legal number."""
        return min(max(payload or 0, self.minimum), self.maximum)


class Picture(gr.Image):
    """An image input that passes the file on unopened where it is used unchanged.

    Gradio's opens it and raises if it is not a picture, and the page shows nothing of that; the studio reports it.
    """

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """Return the path of the file, or Gradio's result for a picture in the message itself."""
        is_a_file = payload is not None and payload.path and not (payload.url or "").startswith("data:")
        if is_a_file and self.type == "filepath" and self.image_mode is None:
            return payload.path
        return super().preprocess(payload)


class Choice(gr.Dropdown):
    """A list that accepts a choice that another one rules out, for the studio to refuse.

    Gradio's raises, and then no event of the form is answered.
    """

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """Return the choice, unchecked in the list of a parameter."""
        return payload if OF_PARAMETER in self.elem_classes else super().preprocess(payload)
