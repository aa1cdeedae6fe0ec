"""Model files: the known ones, where they are, how to get them, and how a graph loads them."""

from ltx_studio.models.control_fragments import CONTROL_MODELS
from ltx_studio.models.defaults import default_set
from ltx_studio.models.files import ModelFile
from ltx_studio.models.plan import Plan, Planned, make_plan
from ltx_studio.models.registry import Registry, get_registry
from ltx_studio.models.store import Store

__all__ = [
    "CONTROL_MODELS",
    "ModelFile",
    "Plan",
    "Planned",
    "Registry",
    "Store",
    "default_set",
    "get_registry",
    "make_plan",
]
