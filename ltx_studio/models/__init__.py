"""Which model files there are, where they are, getting them whole, and how a graph loads them."""

from ltx_studio.models.control_fragments import CONTROL_MODELS
from ltx_studio.models.defaults import default_set
from ltx_studio.models.files import ModelFile
from ltx_studio.models.plan import Plan, Planned, make_plan
from ltx_studio.models.registry import MODEL_SETS, TEMPLATE_SET, Registry, get_model_set, get_registry
from ltx_studio.models.sets import CAMERA_MOVES, DETAILER, POSE, UNION, Lora, ModelSet
from ltx_studio.models.store import Store

__all__ = [
    "CAMERA_MOVES",
    "CONTROL_MODELS",
    "DETAILER",
    "MODEL_SETS",
    "POSE",
    "TEMPLATE_SET",
    "UNION",
    "Lora",
    "ModelFile",
    "ModelSet",
    "Plan",
    "Planned",
    "Registry",
    "Store",
    "default_set",
    "get_model_set",
    "get_registry",
    "make_plan",
]
