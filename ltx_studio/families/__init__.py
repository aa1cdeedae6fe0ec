"""Model families: for each, its graph templates, presets, geometry and loaders."""

from collections.abc import Mapping

from ltx_studio.families.family import Family
from ltx_studio.families.geometry import Geometry
from ltx_studio.families.ltx_2_3 import LTX_2_3
from ltx_studio.families.model_set import CAMERA_MOVES, DETAILER, POSE, UNION, Lora, ModelSet, SetFiles
from ltx_studio.families.preset import Preset, Tuning

__all__ = [
    "CAMERA_MOVES",
    "DEFAULT_PRESET",
    "DETAILER",
    "FAMILIES",
    "LTX_2_3",
    "POSE",
    "UNION",
    "Family",
    "Geometry",
    "Lora",
    "ModelSet",
    "Preset",
    "SetFiles",
    "Tuning",
    "all_presets",
]

FAMILIES: dict[str, Family] = {family.id: family for family in (LTX_2_3,)}
"""Families by id, the default one first."""

DEFAULT_PRESET = LTX_2_3.usual_preset.id
"""Default preset, for requests that name none."""


def all_presets() -> Mapping[str, Preset]:
    """Return the presets of all families by id; where two share an id, the earlier family's."""
    found: dict[str, Preset] = {}
    for family in FAMILIES.values():
        found = {**family.presets, **found}
    return found
