"""The preset that a studio uses when a request names none."""

from ltx_studio.errors import SetupError
from ltx_studio.families import all_presets
from ltx_studio.families.family import Family
from ltx_studio.families.preset import Preset
from ltx_studio.settings import Settings


def default_preset(settings: Settings, family: Family) -> Preset:
    """Return the preset from the settings if the family has it, otherwise the family's default.

    Raises:
        SetupError: The settings name a preset that no family has; the error says where.
    """
    if settings.preset and settings.preset not in all_presets():
        where = settings.origins.get("preset", "preset")
        raise SetupError(
            f"{where} is {settings.preset!r}, which is not a preset.",
            f"Set it to one of: {', '.join(all_presets())}.",
        )
    return family.presets.get(settings.preset, family.usual_preset)
