"""Set-up of what the studio needs besides its Python packages: ComfyUI and the pocket model. Safe to run again."""

from ltx_studio.engine import comfyui
from ltx_studio.engine.boot import boot
from ltx_studio.engine.definitions import snapshot_path, write_snapshot
from ltx_studio.errors import SetupError
from ltx_studio.pocket import files
from ltx_studio.pocket.install import install
from ltx_studio.settings import Settings


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
    if not files.is_whole(settings):
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
