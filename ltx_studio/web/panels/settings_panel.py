"""The panel that shows how this studio is set up: the model set in use, versions, disk space and folders."""

import platform
from collections.abc import Iterator
from html import escape
from importlib.metadata import version

import gradio as gr

from ltx_studio import __version__
from ltx_studio.errors import StudioError
from ltx_studio.models import Store
from ltx_studio.models.plan import free_bytes
from ltx_studio.settings import Settings
from ltx_studio.studio.set_up import installed_comfyui
from ltx_studio.text.catalogue import translated
from ltx_studio.text.formatting import in_bytes
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.cards import prose
from ltx_studio.web.hints import message_of
from ltx_studio.web.panels import texts
from ltx_studio.web.panels.memory import tier
from ltx_studio.web.rail import Rail
from ltx_studio.web.shared import Shared

PACKAGES = ("gradio", "torch")


class SettingsPanel:
    """The settings: one of the browser, and those of the studio, which cannot change while it runs."""

    def __init__(self, settings: Settings, owners: Owners, shared: Shared) -> None:
        self._settings, self._shared = settings, shared
        self._redaction = Redaction(settings, owners)

    def build(self, rail: Rail) -> None:
        """Add the panel to the open Blocks."""
        gr.HTML(_sound(), elem_id="sound-place", js_on_load="window.ltxSound.show(element)", apply_default_css=False)
        shown = gr.HTML(elem_id="settings-shown")
        rail.on_open("settings", self._shown, None, [shown])

    def _shown(self) -> str:
        try:
            rows = [*self._used(), *self._runs_on(), *self._folders()]
        except StudioError as problem:
            return self._redaction.error(problem)
        told = "".join(f"<dt>{escape(name)}</dt><dd>{said}</dd>" for name, said in rows)
        afar = "" if self._redaction.is_open else f"<p>{escape(texts.SETTINGS_AFAR)}</p>"
        return f'<div class="card facts"><dl>{told}</dl>{afar}<p class="summary">{prose(texts.SETTINGS_MORE)}</p></div>'

    def _used(self) -> Iterator[tuple[str, str]]:
        chosen = self._shared.in_use
        yield (
            texts.SETTING_SET,
            (f"{escape(translated(chosen.label))} <code>{escape(chosen.id)}</code><br>{escape(texts.SETTING_SWITCH)}"),
        )
        yield texts.SETTING_TIER, tier(self._settings.vram)

    def _runs_on(self) -> Iterator[tuple[str, str]]:
        yield texts.SETTING_STUDIO, escape(__version__)
        yield texts.SETTING_COMFYUI, escape(self._comfyui())
        parts = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in PACKAGES)]
        yield texts.SETTING_VERSIONS, escape(", ".join([*parts, f"{platform.system()} {platform.machine()}"]))

    def _comfyui(self) -> str:
        try:
            found = installed_comfyui(self._settings)
        except StudioError as problem:
            return self._redaction.said(message_of(problem))
        own = f", {texts.SETTING_OWN}" if found.own else ""
        return f"{found.version}{own}" + (f": {found.path}" if self._redaction.is_open else "")

    def _folders(self) -> Iterator[tuple[str, str]]:
        settings, cache = self._settings, Store(self._settings).cache.folder
        free = texts.SETTING_FREE.format(
            free=in_bytes(free_bytes(settings.outputs_dir)), cache=in_bytes(free_bytes(cache))
        )
        yield texts.SETTING_DISK, escape(free)
        if not self._redaction.is_open:
            return
        places = settings.outputs_dir, settings.models_dir, cache, settings.log_file
        for name, path in zip(texts.SETTING_FOLDERS, places, strict=True):
            yield name, f'<code class="path">{escape(str(path))}</code>'


def _sound() -> str:
    """Return the switch for the sound that a finished clip makes; the browser keeps it (`assets/sound.js`)."""
    return (
        f'<label class="switch"><input type="checkbox" id="sound-on-done" aria-describedby="sound-help">'
        f'<span>{texts.SETTING_SOUND}</span></label><p id="sound-help" class="line">{texts.SETTING_SOUND_HELP}</p>'
    )
