"""Every environment variable and every path of the studio, read once and in one place."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path

from platformdirs import user_config_path, user_data_path, user_documents_path

from ltx_studio.errors import SetupError

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"
DEFAULT_PORT = 7860

_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")


class Vram(StrEnum):
    """How eagerly models are kept on the device; ``auto`` leaves the choice to ComfyUI."""

    AUTO = "auto"
    GPU_ONLY = "gpu-only"
    HIGH = "high"
    LOW = "low"
    NONE = "none"
    CPU = "cpu"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the studio keeps things and how it runs.

    Attributes:
        home: Everything the studio writes lies below this folder.
        comfy_dir: A ComfyUI of the user's own, or None for the one that set-up fetches.
        model_set: The model set that is used unless a request names another; empty lets the studio choose.
        vram: How eagerly models are kept on the device.
        model_dirs: Where to look for model files that the user already has: a ComfyUI, a folder of models, or an
            ``extra_model_paths.yaml``. From the environment, the usual places of other programs come last.
        hub_cache: The Hugging Face cache; None is the one that Hugging Face's own tools use.
        hub_endpoint: The Hugging Face hub; None is the one that Hugging Face's own tools use.
        password: What the page asks for, on this machine too. It is left out of this object's ``repr``.
        allowed_hosts: The host names, besides the machine's own, at which browsers may open the page: those of a
            proxy in front of it (``LTX_STUDIO_ALLOWED_HOSTS``, separated by commas, without scheme and port).
        trusted_proxies: The addresses and networks of proxies whose ``X-Forwarded-For`` is believed
            (``LTX_STUDIO_TRUSTED_PROXIES``, separated by commas). By default none is, not even one on this machine:
            clients that can forge their address could guess passwords without being slowed down.
    """

    home: Path
    comfy_dir: Path | None = None
    model_set: str = ""
    vram: Vram = Vram.AUTO
    model_dirs: tuple[Path, ...] = ()
    hub_cache: Path | None = None
    hub_endpoint: str | None = None
    password: str = field(default="", repr=False)
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()

    @property
    def models_dir(self) -> Path:
        return self.home / "models"

    @property
    def inputs_dir(self) -> Path:
        return self.home / "input"

    @property
    def outputs_dir(self) -> Path:
        return self.home / "outputs"

    @property
    def kept_dir(self) -> Path:
        """The files that jobs were given, each once."""
        return self.home / "kept"

    @property
    def posters_dir(self) -> Path:
        return self.home / "posters"

    @property
    def database_file(self) -> Path:
        return self.home / "studio.db"

    @property
    def worker_lock(self) -> Path:
        """Held by the process whose engine carries out the queue's jobs."""
        return self.home / "worker.lock"

    @property
    def staging_dir(self) -> Path:
        """Runs write here; a file moves to ``outputs_dir`` only when it is whole."""
        return self.home / "staging"

    @property
    def temp_dir(self) -> Path:
        return self.home / "temp"

    @property
    def user_dir(self) -> Path:
        return self.home / "user"

    @property
    def log_file(self) -> Path:
        return self.home / "logs" / "studio.log"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read ``LTX_STUDIO_*``.

        Raises:
            SetupError: A variable has a value that means nothing.
        """
        home = env.get("LTX_STUDIO_HOME") or user_data_path("ltx-studio", appauthor=False)
        comfy_dir = env.get("LTX_STUDIO_COMFY_DIR")
        return cls(
            home=_folder("LTX_STUDIO_HOME", home),
            comfy_dir=_folder("LTX_STUDIO_COMFY_DIR", comfy_dir) if comfy_dir else None,
            model_set=env.get("LTX_STUDIO_MODEL_SET") or "",
            vram=_vram(env.get("LTX_STUDIO_VRAM") or "auto"),
            model_dirs=(*_model_dirs(env.get("LTX_STUDIO_MODEL_DIRS", "")), *_usual_model_dirs()),
            password=env.get("LTX_STUDIO_PASSWORD") or "",
            allowed_hosts=tuple(_hosts(env.get("LTX_STUDIO_ALLOWED_HOSTS", ""))),
            trusted_proxies=tuple(_networks(env.get("LTX_STUDIO_TRUSTED_PROXIES", ""))),
        )


def _folder(variable: str, value: str | Path) -> Path:
    try:
        return Path(value).expanduser().absolute()
    except RuntimeError:  # ~nobody
        raise SetupError(f"{variable} is {value}, whose ~ names no user.", "Write the whole path.") from None


def _model_dirs(value: str) -> Iterator[Path]:
    for path in value.split(os.pathsep):
        if path.strip():
            yield _folder("LTX_STUDIO_MODEL_DIRS", path.strip())


def _usual_model_dirs() -> Iterator[Path]:
    """Where ComfyUI's desktop app and command line, and LTX Desktop, put their models unless told otherwise."""
    try:
        home, documents = Path.home(), user_documents_path()
    except RuntimeError:  # a user without a home
        return
    usual = [home / "ComfyUI", home / "comfy" / "ComfyUI", documents / "ComfyUI", documents / "comfy" / "ComfyUI"]
    usual += [home / "ComfyUI-Shared", user_data_path("LTXDesktop", appauthor=False) / "models"]
    usual += [user_config_path("ComfyUI", appauthor=False, roaming=True) / "extra_models_config.yaml"]
    usual += [user_data_path("comfyui-desktop-2", appauthor=False) / "shared_model_paths.yaml"]
    for path in usual:
        with contextlib.suppress(OSError):  # somebody else's home
            if path.exists():
                yield path


def _hosts(value: str) -> Iterator[str]:
    """Yield the host names of a list as browsers send them: in small letters, names of other scripts in ASCII."""
    for name in filter(None, map(str.strip, value.split(","))):
        host = _host(name)
        if host is None:
            raise SetupError(
                f"LTX_STUDIO_ALLOWED_HOSTS names {name!r}, which is not a host name.",
                "Use names such as studio.example.org, separated by commas, without https:// and without a port.",
            )
        yield host


def _host(name: str) -> str | None:
    with contextlib.suppress(ValueError):
        return str(ip_address(name.strip("[]")))
    try:
        host = name.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return host if _HOST_NAME.fullmatch(host) else None


def _networks(value: str) -> Iterator[str]:
    """Yield the addresses and networks of a list."""
    for name in filter(None, map(str.strip, value.split(","))):
        try:
            network = ip_network(name, strict=False)
        except ValueError:
            raise SetupError(
                f"LTX_STUDIO_TRUSTED_PROXIES names {name!r}, which is not an IP address or network.",
                "Use addresses or networks such as 10.0.0.7 or 10.0.0.0/8, separated by commas.",
            ) from None
        yield str(network)


def _vram(value: str) -> Vram:
    try:
        return Vram(value.strip().lower())
    except ValueError:
        raise SetupError(
            f"LTX_STUDIO_VRAM is {value!r}, which is no tier.",
            f"Set it to one of: {', '.join(Vram)}.",
        ) from None


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process."""
    return Settings.from_env(os.environ)
