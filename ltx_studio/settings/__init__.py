"""Settings: environment variables, `settings.toml` in the studio's home, and every path of the studio."""

from ltx_studio.settings.settings import (
    DEFAULT_PORT,
    EVERYWHERE,
    LOOPBACK,
    Settings,
    get_settings,
    home_of,
    settings_file,
)
from ltx_studio.settings.values import Vram

__all__ = [
    "DEFAULT_PORT",
    "EVERYWHERE",
    "LOOPBACK",
    "Settings",
    "Vram",
    "get_settings",
    "home_of",
    "settings_file",
]
