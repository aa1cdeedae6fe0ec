"""The preset that a studio uses when a request names none."""

from ltx_studio.errors import SetupError
from ltx_studio.families.family import Family
from ltx_studio.families.preset import Preset
from ltx_studio.settings import Settings


def default_preset(settings: Settings, family: Family) -> Preset:
    """Return the preset from the settings, otherwise the family's default.

    Raises:
        SetupError: The settings name a preset that the family does not have; the error says where.
    """
    if not settings.preset:
        return family.usual_preset
    if settings.preset not in family.presets:
        where = settings.origins.get("preset", "preset")
        raise SetupError(
            f"{where} is {settings.preset!r}, which is not a preset.",
            f"Set it to one of: {', '.join(family.presets)}.",
        )
    return family.presets[settings.preset]
