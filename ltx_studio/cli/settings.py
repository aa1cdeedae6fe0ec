"""`ltx-studio settings`: show and change `settings.toml`."""

import os
from pathlib import Path
from typing import Any

import click

from ltx_studio.cli.output import echo, echo_json
from ltx_studio.errors import RequestError
from ltx_studio.families import DEFAULT_PRESET, all_presets
from ltx_studio.models import get_registry
from ltx_studio.settings import Settings, file, home_of, settings_file, sources
from ltx_studio.text.formatting import quoted

_UNSET = {
    "model_set": "automatic",
    "preset": DEFAULT_PRESET,
    "comfy_dir": "installed by setup",
    "output_limit_gb": "none",
    "keep_alive_minutes": "always",
}
"""How to print defaults that have no value."""

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def settings() -> None:
    """Show and change the settings."""


@settings.command("list")
@_AS_JSON
def list_settings(*, as_json: bool) -> None:
    """List all settings with their values and sources."""
    loaded = sources.load(os.environ, _path())
    shown = [_as_dict(key, loaded) for key in sources.KEYS]
    if as_json:
        echo_json(shown)
        return
    for each in shown:
        echo(f"{each['key']:18}  {_text(each['key'], each['value']):28}  {_source(each)}")


@settings.command()
@click.argument("key")
@_AS_JSON
def get(key: str, *, as_json: bool) -> None:
    """Print the value of KEY."""
    sources.known(key)
    shown = _as_dict(key, sources.load(os.environ, _path()))
    if as_json:
        echo_json(shown)
    else:
        echo(_text(key, shown["value"]))


@settings.command("set")
@click.argument("key")
@click.argument("value")
def set_value(key: str, value: str) -> None:
    """Set KEY to VALUE in the settings file.

    Separate hosts and proxies with commas, and folders as in PATH.
    """
    parsed = sources.parse(key, value)
    if parsed == "":
        raise RequestError(f"The value of {key} is empty.", f"Remove it with `ltx-studio settings unset {key}`.")
    if key == "model_set":
        get_registry(Settings(home=home_of(os.environ))).get_set(parsed)
    if key == "preset" and parsed not in all_presets():
        raise RequestError(f"There is no preset {quoted(parsed)}.", f"Choose one of: {', '.join(all_presets())}.")
    stored = sources.storable(parsed)
    _change(key, _UNSET[key] if stored is None else stored)
    echo(f"Set {key} to {_text(key, stored)} in {_path()}.", err=True)
    _tell_effect(key)


@settings.command()
@click.argument("key")
def unset(key: str) -> None:
    """Remove KEY from the settings file to restore its default."""
    path = _path()
    if key not in file.parse(file.read(path), path):
        sources.known(key)
        echo(f"{key} is not set in {path}.", err=True)
        return
    _change(key, None)
    echo(f"Removed {key} from {path}.", err=True)
    _tell_effect(key)


@settings.command("path")
def show_path() -> None:
    """Print the path of the settings file."""
    echo(_path())


def _path() -> Path:
    return settings_file(home_of(os.environ))


def _change(key: str, value: object) -> None:
    """Write the file with another value for a key, unless something in it would then be wrong."""
    sources.store(_path(), key, value)


def _tell_effect(key: str) -> None:
    variable = sources.KEYS[key].variable if key in sources.KEYS else ""
    if os.environ.get(variable):
        echo(f"{variable} is {os.environ[variable]} in the environment, which overrides the file.", err=True)
    else:
        echo("Restart a running studio to apply it.", err=True)


def _as_dict(key: str, loaded: sources.Loaded) -> dict[str, Any]:
    """Return a setting for scripts."""
    variable = sources.KEYS[key].variable
    origin = loaded.origins.get(key)
    source = "default" if origin is None else "environment" if origin == variable else "file"
    value = sources.storable(getattr(loaded.values, key))
    return {"key": key, "value": value, "source": source, "variable": variable}


def _source(shown: dict[str, Any]) -> str:
    return f"environment {shown['variable']}" if shown["source"] == "environment" else str(shown["source"])


def _text(key: str, value: object) -> str:
    if isinstance(value, list):
        return (os.pathsep if key == "model_dirs" else ",").join(value) or "none"
    return _UNSET.get(key, "none") if value is None else str(value)
