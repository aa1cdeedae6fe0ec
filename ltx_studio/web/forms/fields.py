"""The input components for declared parameters."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import gradio as gr
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from ltx_studio.modes import COMFYUI_NAMES, MAX_SEED, OF_PRESET, Media
from ltx_studio.text.catalogue import translated
from ltx_studio.web import words
from ltx_studio.web.gradio_compat.components import OF_PARAMETER, Choice, Picture, Slider

FILES = (gr.Image, gr.Audio, gr.Video, gr.File)
MOST_EXACT = 2**53
"""Up to here a browser represents every whole number exactly."""
FILE_HEIGHT = 128
"""Pixels of a field for a picture or a clip."""
MOST_MARKS = 1000
"""A slider with more steps would be no help."""


def component(field: FieldInfo, media: Media | None, **more: Any) -> gr.components.Component:
    """Return the input component of one parameter, limited to its legal values.

    Args:
        field: The parameter's declaration.
        media: The kind of file that it takes, if any.
        more: Further arguments of the component.
    """
    named: dict[str, Any] = {"label": translated(field.title or ""), **more}
    if media is not None:
        return _file(field, media, named)
    named = {
        "value": None if field.is_required() else field.default,
        "info": translated(field.description or "") or None,
        **named,
    }
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        return Choice(choices(field, get_args(annotation)), elem_classes=[OF_PARAMETER], **named)
    if annotation is str:
        return gr.Textbox(lines=named.pop("lines", 2), max_lines=12, **named)
    if type(None) in get_args(annotation):
        return gr.Number(precision=0 if int in get_args(annotation) else None, **named)
    limits = {type(limit): limit for limit in field.metadata}
    low, high = limits[Ge].ge, limits[Le].le
    step = 1 if annotation is int else 0.05 if high <= 2 else 0.1
    if (high - low) / step > MOST_MARKS or high >= MAX_SEED:
        return gr.Number(precision=0 if annotation is int else None, **named)
    return Slider(low, high, step=step, **named)


def buttons(
    choices: Iterable[tuple[str, str]], value: str, label: str, elem_id: str, kind: str, info: str | None = None
) -> gr.Radio:
    """Return choices that look like buttons; a choice's label may have a second line. `kind` is their CSS class."""
    options: dict[str, Any] = {"elem_id": elem_id, "elem_classes": ["buttons", kind]}
    return gr.Radio(list(choices), value=value, label=label, info=info, **options)


def choices(field: FieldInfo, values: Iterable[str]) -> list[tuple[str, str]]:
    """Return the label and value of each of a field's choices."""
    return [(_label(field, value), value) for value in values]


def _label(field: FieldInfo, value: str) -> str:
    if value == OF_PRESET:
        return words.OF_PRESET
    if COMFYUI_NAMES in field.metadata:
        return value
    return translated(value.replace("-", " ").capitalize())


def edited(component: Any) -> Any:
    """Return the event that fires when a visitor has changed a component.

    `input` misses text that is pasted, a number that a slider corrects, and a random seed.
    """
    if isinstance(component, gr.HTML):
        return component.edited
    return component.change if isinstance(component, gr.Textbox | gr.Slider | gr.Number) else component.input


def is_one(made: gr.components.Component, value: Any) -> bool:
    """Return whether a component can hold a value that a browser sent."""
    match made:
        case gr.Checkbox():
            return isinstance(value, bool)
        case gr.Radio() | gr.Dropdown():
            return isinstance(value, str) and value in {choice for _, choice in made.choices}
        case gr.Slider():
            return _is_number(value) and made.minimum <= value <= made.maximum
        case gr.Number():
            return _is_number(value)
        case gr.Textbox():
            return isinstance(value, str) and _can_be_sent(value)
    return False


def _is_number(value: Any) -> bool:
    """Return whether it is a number that Gradio can send: at one of over 64 bits it ends the stream to the page."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST_EXACT


def _can_be_sent(text: str) -> bool:
    """Return whether a text can be encoded: lone surrogates cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _file(field: FieldInfo, media: Media, named: dict[str, Any]) -> gr.components.Component:
    named["elem_classes"] = ["file"]
    if not field.is_required():
        named["label"] = words.OPTIONAL.format(name=translated(field.title or ""))
    match media:
        case Media.PICTURE:
            # the unchanged file: the studio reads its profile and size
            return Picture(
                type="filepath", image_mode=None, sources=["upload", "clipboard"], height=FILE_HEIGHT, **named
            )
        case Media.SOUND:
            # its buttons need this width
            return gr.Audio(
                type="filepath", sources=["upload", "microphone"], buttons=["download"], min_width=320, **named
            )
        case Media.CLIP:
            return gr.Video(sources=["upload"], height=FILE_HEIGHT, **named)
    raise AssertionError(f"{media} is no file of a form: {Path(str(field.title))}")
