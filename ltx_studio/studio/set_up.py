"""Set-up of what the studio needs besides its Python packages: ComfyUI and the pocket model. Safe to run again."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from ltx_studio.engine import comfyui
from ltx_studio.engine.boot import boot
from ltx_studio.engine.definitions import snapshot_path, write_snapshot
from ltx_studio.errors import RequestError, SetupError
from ltx_studio.permissions import as_usual
from ltx_studio.pocket import files as pocket_files
from ltx_studio.pocket.install import install
from ltx_studio.settings import Settings

FOLDER_OF_NODES = "ltx_studio_nodes"


def installed_comfyui(settings: Settings) -> comfyui.ComfyInstall:
    """Return the ComfyUI that the studio runs.

    Raises:
        SetupError: It is missing, incomplete or too old.
    """
    return comfyui.find(settings)


def is_set_up(settings: Settings) -> bool:
    """Return whether `prepare` has nothing left to do."""
    try:
        comfyui.find(settings)
    except SetupError:
        return False
    return snapshot_path(settings).is_file() and pocket_files.is_whole(settings)


def prepare(settings: Settings, report: comfyui.Report) -> None:
    """Fetch what is missing, and store the pocket model.

    Raises:
        SetupError: Something could not be fetched or stored; the message says what, and the remedy.
    """
    install = comfyui.ensure(settings, report)
    report(f"ComfyUI {install.version}: {'your own' if install.own else 'ready'}")
    if not snapshot_path(settings).is_file():
        report("Starting ComfyUI (the first start takes up to a minute)")
        write_snapshot(boot(settings), settings)
    if not pocket_files.is_whole(settings):
        report("Installing the pocket model")
        _store_pocket(settings)
    report("Pocket model: ready")


def _store_pocket(settings: Settings) -> None:
    try:
        install(settings)
    except OSError as error:
        raise SetupError(
            f"The pocket model could not be installed: {error}",
            "Free at least 100 MB on the disk of LTX_STUDIO_HOME, then run the set-up again.",
        ) from error


def put_nodes(folder: Path) -> Path:
    """Copy the studio's own ComfyUI nodes into a `custom_nodes` folder, and return where they are.

    Raises:
        RequestError: The folder does not exist or cannot be written.
    """
    if not folder.is_dir():
        raise RequestError(f"{folder} is not a folder.", "Use the `custom_nodes` folder of a ComfyUI.")
    target = folder / FOLDER_OF_NODES
    try:
        with as_file(files("ltx_studio.engine") / "nodes") as source, as_usual():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    except OSError as error:
        raise RequestError(f"{target} cannot be written: {error.strerror}.", "Choose another folder.") from None
    return target
