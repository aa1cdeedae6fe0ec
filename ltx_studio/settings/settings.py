"""The settings of a process and every path of the studio, read once and in one place."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from platformdirs import user_config_path, user_data_path, user_documents_path

from ltx_studio.errors import SetupError
from ltx_studio.settings.file import NAME
from ltx_studio.settings.values import LANGUAGES, Vram, WrongValueError, folder

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"
DEFAULT_PORT = 7860


@dataclass(frozen=True, slots=True)
class Settings:
    """The studio's paths and how it runs. Created directly, it reads neither environment nor file.

    Attributes:
        home: The folder of everything that the studio writes.
        comfy_dir: The user's own ComfyUI, or None for the one that set-up fetches.
        model_set: The model set for requests that name none; empty lets the studio choose.
        preset: The preset for requests that name none; empty is the family's default.
        vram: How eagerly models are kept on the device.
        model_dirs: Where to look for the user's existing model files: a ComfyUI, a folder of models, or an
            ``extra_model_paths.yaml``. `from_env` adds the usual places of other programs at the end.
        hub_cache: The Hugging Face cache; None is the one that Hugging Face's own tools use.
        hub_endpoint: The Hugging Face hub; None is the one that Hugging Face's own tools use.
        password: The page's password, required on this machine too. It is left out of this object's ``repr``.
        allowed_hosts: The host names, besides the machine's own, at which browsers may open the page: those of a
            proxy in front of it (``LTX_STUDIO_ALLOWED_HOSTS``, separated by commas, without scheme and port).
        trusted_proxies: The addresses and networks of proxies whose ``X-Forwarded-For`` is believed
            (``LTX_STUDIO_TRUSTED_PROXIES``, separated by commas). By default none is trusted, not even on this machine:
            clients that can forge their address could guess passwords without being slowed down.
        output_limit_gb: How many gigabytes the clips may use before `doctor` warns, and what `takes prune` leaves.
        keep_alive_minutes: Minutes without a job after which models are unloaded; None keeps them loaded.
        language: The language of the studio.
        origins: How an error names each setting that is not a default: its variable, or its key in the file.
    """

    home: Path
    comfy_dir: Path | None = None
    model_set: str = ""
    preset: str = ""
    vram: Vram = Vram.AUTO
    model_dirs: tuple[Path, ...] = ()
    hub_cache: Path | None = None
    hub_endpoint: str | None = None
    password: str = field(default="", repr=False)
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    output_limit_gb: float | None = None
    keep_alive_minutes: float | None = None
    language: str = LANGUAGES[0]
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

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
        """The studio's copies of the files of jobs, each stored once."""
        return self.home / "kept"

    @property
    def posters_dir(self) -> Path:
        return self.home / "posters"

    @property
    def database_file(self) -> Path:
        return self.home / "studio.db"

    @property
    def worker_lock(self) -> Path:
        """The lock of the process whose engine runs the queue's jobs."""
        return self.home / "worker.lock"

    @property
    def workers_dir(self) -> Path:
        """The folder of the workers' lock files; each worker holds its lock while it works."""
        return self.home / "workers"

    @property
    def downloaders_dir(self) -> Path:
        """The folder of the lock files of those who carry out downloads, apart from the workers of jobs."""
        return self.workers_dir / "downloads"

    @property
    def staging_dir(self) -> Path:
        """The folder that runs write to; a file moves to ``outputs_dir`` only when it is complete."""
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

    @property
    def settings_file(self) -> Path:
        return settings_file(self.home)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read ``LTX_STUDIO_*``, and `settings.toml` in the home that they name. The environment wins.

        Raises:
            SetupError: A variable or a key of the file has an invalid value.
        """
        from ltx_studio.settings.sources import load  # pydantic is slow to import, and `--help` does not need it

        home = home_of(env)
        loaded = load(env, settings_file(home))
        values = {name: getattr(loaded.values, name) for name in type(loaded.values).model_fields}
        values["model_dirs"] = (*values["model_dirs"], *_usual_model_dirs())
        return cls(home=home, password=env.get("LTX_STUDIO_PASSWORD") or "", origins=loaded.origins, **values)


def home_of(env: Mapping[str, str]) -> Path:
    """Return the studio's home: ``LTX_STUDIO_HOME``, else the system's folder for user data.

    Raises:
        SetupError: Its ``~`` names no user.
    """
    try:
        named = folder(env.get("LTX_STUDIO_HOME") or "")
    except WrongValueError as wrong:
        raise SetupError(f"LTX_STUDIO_HOME {wrong.problem}", wrong.hint) from None
    return named or user_data_path("ltx-studio", appauthor=False).absolute()


def settings_file(home: Path) -> Path:
    """Return the path of a home's settings file."""
    return home / NAME


def _usual_model_dirs() -> Iterator[Path]:
    """Yield the default model folders of ComfyUI's desktop app and command line, and of LTX Desktop."""
    try:
        home, documents = Path.home(), user_documents_path()
    except RuntimeError:  # a user without a home
        return
    usual = [home / "ComfyUI", home / "comfy" / "ComfyUI", documents / "ComfyUI", documents / "comfy" / "ComfyUI"]
    usual += [home / "ComfyUI-Shared", user_data_path("LTXDesktop", appauthor=False) / "models"]
    usual += [user_config_path("ComfyUI", appauthor=False, roaming=True) / "extra_models_config.yaml"]
    usual += [user_data_path("comfyui-desktop-2", appauthor=False) / "shared_model_paths.yaml"]
    for path in usual:
        with contextlib.suppress(OSError):  # the folder may be in another user's home
            if path.exists():
                yield path


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings of this process."""
    return Settings.from_env(os.environ)
