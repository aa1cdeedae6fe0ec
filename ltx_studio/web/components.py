"""Gradio's components as the page uses them: classes of our own, so that a host page keeps Gradio's.

Each differs in `preprocess` alone, for a fault of Gradio 6.31; `is_template` has the browser show them as the class
that they come from. Remove one when Gradio takes such a value without an error.
"""

from typing import Any

import gradio as gr

OF_PARAMETER = "of-parameter"
"""Class of lists whose choices `Form.tell` narrows."""


class Slider(gr.Slider):
    """Takes the nearest number that it can have, as it does itself in the browser when its field is left.

    Gradio's raises for a number out of its range, and its browser side then forgets the event that came after.
    """

    is_template = True

    def preprocess(self, payload: float | None) -> float:
        """Return the nearest legal number."""
        return min(max(payload or 0, self.minimum), self.maximum)


class Picture(gr.Image):
    """Gives a picture's file unopened where it is asked for as it is.

    Gradio's opens it and raises if it is none, and the page shows nothing of that; the studio says what is wrong.
    """

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """Return the path of the file, or what Gradio makes of a picture in the message itself."""
        is_a_file = payload is not None and payload.path and not (payload.url or "").startswith("data:")
        if is_a_file and self.type == "filepath" and self.image_mode is None:
            return payload.path
        return super().preprocess(payload)


class Choice(gr.Dropdown):
    """A list that takes a choice which another one rules out, for the studio to refuse.

    Gradio's raises, and then no event of the form is answered.
    """

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """Return the choice as it is in the list of a parameter."""
        return payload if OF_PARAMETER in self.elem_classes else super().preprocess(payload)
