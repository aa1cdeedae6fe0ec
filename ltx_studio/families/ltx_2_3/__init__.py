"""LTX-2.3: graph templates of the modes, and presets."""

from ltx_studio.families.ltx_2_3.presets import BALANCED, DRAFT, FAST, PRESETS, QUALITY, Preset, get_preset
from ltx_studio.families.ltx_2_3.template import load_template

__all__ = ["BALANCED", "DRAFT", "FAST", "PRESETS", "QUALITY", "Preset", "get_preset", "load_template"]
