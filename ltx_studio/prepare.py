"""What the studio needs beside its Python packages: ComfyUI and the pocket model. Safe to run again."""

from collections.abc import Callable

from ltx_studio.engine import Engine, comfyui
from ltx_studio.errors import SetupError
from ltx_studio.pocket import files
from ltx_studio.settings import Settings

Report = Callable[[str], None]


def prepare(settings: Settings, report: Report) -> None:
    """Fetch what is missing and build the pocket model.

    Raises:
        SetupError: Something could not be had; the message says what, and what to do.
    """
    install = comfyui.ensure(settings, report)
    report(f"ComfyUI {install.version}: {'your own' if install.own else 'ready'}")
    if not files.is_whole(settings):
        report("Building the pocket model (starts ComfyUI; the first start takes up to a minute)")
        Engine(settings).wait_ready()
        _build_pocket(settings)
    report("Pocket model: ready")


def _build_pocket(settings: Settings) -> None:
    from ltx_studio.pocket.build import build

    try:
        build(settings)
    except Exception as error:
        raise SetupError(
            f"The pocket model could not be stored: {error}",
            "Make sure that 100 MB are free where LTX_STUDIO_HOME lies, then run the set-up again.",
        ) from error
