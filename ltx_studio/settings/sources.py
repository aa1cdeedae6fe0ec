"""The keys of `settings.toml`, the variables that override them, and where each value comes from."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from ltx_studio.errors import RequestError, SetupError
from ltx_studio.settings import file
from ltx_studio.settings.values import (
    LANGUAGES,
    Vram,
    WrongValueError,
    folder,
    folders,
    gigabytes,
    hosts,
    language_code,
    minutes,
    networks,
    text,
    tier,
)

ELSEWHERE = {
    "password": "Set LTX_STUDIO_PASSWORD; the studio stores no password in a file.",
    "home": "Set LTX_STUDIO_HOME; the settings file is in that folder.",
}
"""Settings that look like keys but do not belong in the file, and where they belong."""


@dataclass(frozen=True, slots=True)
class Key:
    """A setting's variable and meaning."""

    variable: str
    about: str


class Values(BaseSettings):
    """The value of each key. Earlier sources win."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=False)
    sources: ClassVar[tuple[Mapping[str, Any], ...]] = ()

    model_set: Annotated[
        str, PlainValidator(text), Key("LTX_STUDIO_MODEL_SET", "Model set for requests that do not name one.")
    ] = ""
    preset: Annotated[
        str, PlainValidator(text), Key("LTX_STUDIO_PRESET", "Preset for requests that do not name one.")
    ] = ""
    vram: Annotated[
        Vram, PlainValidator(tier), Key("LTX_STUDIO_VRAM", f"How much to keep on the GPU: {', '.join(Vram)}.")
    ] = Vram.AUTO
    model_dirs: Annotated[
        tuple[Path, ...],
        PlainValidator(folders),
        Key("LTX_STUDIO_MODEL_DIRS", "More places with model files: folders, or an extra_model_paths.yaml."),
    ] = ()
    comfy_dir: Annotated[
        Path | None,
        PlainValidator(folder),
        Key("LTX_STUDIO_COMFY_DIR", "Your own ComfyUI, used instead of the installed one."),
    ] = None
    output_limit_gb: Annotated[
        float | None,
        PlainValidator(gigabytes),
        Key("LTX_STUDIO_OUTPUT_LIMIT_GB", "Disk space for clips in gigabytes, or none for no limit."),
    ] = None
    keep_alive_minutes: Annotated[
        float | None,
        PlainValidator(minutes),
        Key(
            "LTX_STUDIO_KEEP_ALIVE_MINUTES",
            "Minutes without a job after which models are unloaded, or always to keep them loaded.",
        ),
    ] = None
    language: Annotated[
        str, PlainValidator(language_code), Key("LTX_STUDIO_LANGUAGE", f"Language: {', '.join(LANGUAGES)}.")
    ] = LANGUAGES[0]
    allowed_hosts: Annotated[
        tuple[str, ...],
        PlainValidator(hosts),
        Key("LTX_STUDIO_ALLOWED_HOSTS", "Host names under which a proxy serves the page."),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        PlainValidator(networks),
        Key("LTX_STUDIO_TRUSTED_PROXIES", "Addresses or networks of proxies whose X-Forwarded-For is trusted."),
    ] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, *(InitSettingsSource(settings_cls, dict(source)) for source in cls.sources))


KEYS: Mapping[str, Key] = {
    name: next(each for each in found.metadata if isinstance(each, Key)) for name, found in Values.model_fields.items()
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Attributes: the values, and for each that is set, its name in errors: its variable, or its key in the file."""

    values: Values
    origins: Mapping[str, str] = field(default_factory=dict)


def load(env: Mapping[str, str], path: Path) -> Loaded:
    """Return the settings of the environment and of the file at `path`; the environment wins.

    Raises:
        SetupError: The file is not TOML, or a key or value is wrong; names its place.
    """
    return _loaded(env, file.parse(file.read(path), path), path)


def check(content: str, path: Path) -> None:
    """Check a text before it becomes the settings file at `path`.

    Raises:
        SetupError: The text is not TOML, or a key or value is wrong.
    """
    _loaded({}, file.parse(content, path), path)


def store(path: Path, name: str, value: object) -> None:
    """Write another value for a key into the settings file at `path`; None removes the key.

    Raises:
        SetupError: Something in the file would then be wrong, or it cannot be written; it is unchanged.
    """
    before = file.read(path)
    file.parse(before, path)
    after = file.changed(before, {name: value})
    check(after, path)
    file.write(path, after)


def parse(name: str, value: str) -> Any:
    """Return the value of a key from text.

    Raises:
        RequestError: The key does not exist, or cannot have this value.
    """
    known(name)
    given: dict[str, Any] = {name: value}
    try:
        return getattr(Values(**given), name)
    except ValidationError as error:
        wrong = _cause(error)
        raise RequestError(f"{name} {wrong.problem}", wrong.hint) from None


def known(name: str) -> Key:
    """Return the description of a key.

    Raises:
        RequestError: The key does not exist; names the nearest one.
    """
    if name not in KEYS:
        raise RequestError(f"There is no setting {name!r}.", _instead(name))
    return KEYS[name]


def storable(value: object) -> Any:
    """Return a value in the form that TOML and JSON hold; None if it is unset."""
    match value:
        case None | "":
            return None
        case Path():
            return str(value)
        case tuple():
            return [str(item) for item in value]
        case float():
            return int(value) if value.is_integer() else value
    return str(value)


def _loaded(env: Mapping[str, str], content: Mapping[str, Any], path: Path) -> Loaded:
    unknown = next((name for name in content if name not in KEYS), None)
    if unknown is not None:
        raise SetupError(f"{path} has a key {unknown!r}, which is not a setting.", _instead(unknown))
    in_env = {name: env[key.variable] for name, key in KEYS.items() if env.get(key.variable)}
    in_file = {name: _anchored(name, value, path.parent) for name, value in content.items()}
    origins = {name: f"{name} in {path}" for name in in_file} | {name: KEYS[name].variable for name in in_env}

    class Sourced(Values):
        sources = (in_env, in_file)

    try:
        return Loaded(Sourced(), origins)
    except ValidationError as error:
        wrong = _cause(error)
        raise SetupError(f"{origins[str(error.errors()[0]['loc'][0])]} {wrong.problem}", wrong.hint) from None


def _cause(error: ValidationError) -> WrongValueError:
    cause = error.errors()[0]["ctx"]["error"]
    assert isinstance(cause, WrongValueError)
    return cause


def _anchored(name: str, value: Any, home: Path) -> Any:
    """Resolve relative paths in a value against the file's folder, wherever the studio is started."""
    if name == "comfy_dir":
        return _below(value, home)
    if name == "model_dirs":
        items = value.split(os.pathsep) if isinstance(value, str) else value
        return [_below(item, home) for item in items] if isinstance(items, list) else items
    return value


def _below(value: Any, home: Path) -> Any:
    is_relative = isinstance(value, str) and value.strip() and not value.strip().startswith("~")
    return str(home / value.strip()) if is_relative else value


def _instead(name: str) -> str:
    """Return the remedy for a key that does not exist."""
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    near = difflib.get_close_matches(name, KEYS, n=1)
    return f"Did you mean {near[0]}?" if near else f"Use one of: {', '.join(KEYS)}."
