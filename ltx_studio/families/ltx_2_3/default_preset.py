"""Which preset a studio uses when a request names none."""

from ltx_studio.errors import RequestError, SetupError
from ltx_studio.families.ltx_2_3.presets import FAST, PRESETS, Preset, get_preset
from ltx_studio.settings import Settings


def default_preset(settings: Settings) -> Preset:
    """Return the preset of the settings, else Fast.

    Raises:
        SetupError: The settings name a preset that does not exist; names where they do.
    """
    if not settings.preset:
        return FAST
    try:
        return get_preset(settings.preset)
    except RequestError:
        where = settings.origins.get("preset", "preset")
        raise SetupError(
            f"{where} is {settings.preset!r}, which is not a preset.", f"Set it to one of: {', '.join(PRESETS)}."
        ) from None
