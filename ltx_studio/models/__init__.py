"""Which model files there are and how a graph loads them."""

from ltx_studio.models.controls import CONTROL_MODELS
from ltx_studio.models.sets import (
    CAMERA_MOVES,
    DETAILER,
    MODEL_SETS,
    POSE,
    TEMPLATE_SET,
    UNION,
    Lora,
    ModelSet,
    get_model_set,
)

__all__ = [
    "CAMERA_MOVES",
    "CONTROL_MODELS",
    "DETAILER",
    "MODEL_SETS",
    "POSE",
    "TEMPLATE_SET",
    "UNION",
    "Lora",
    "ModelSet",
    "get_model_set",
]
