"""`ltx-studio doctor`: what is installed, found and missing, and whether files and history agree."""

import json
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ltx_studio import __version__
from ltx_studio.errors import StudioError
from ltx_studio.settings import Settings, get_settings
from ltx_studio.words import in_bytes

if TYPE_CHECKING:
    from ltx_studio.jobs.agreement import Disagreements

ENOUGH_BYTES = 1 << 30
"""Free on the disk: the clips of an afternoon."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Attributes: what was looked at, whether a run could work, what was found, and what to do when it could not."""

    name: str
    good: bool
    found: str
    hint: str = ""


def examine(repair: bool, as_json: bool) -> int:
    """Tell what was found; 1 when a run could not work, or something does not agree."""
    settings = get_settings()
    findings = [*_installed(settings), *_agreeing(settings, repair)]
    if as_json:
        shown = [{"name": each.name, "good": each.good, "found": each.found, "hint": each.hint} for each in findings]
        click.echo(json.dumps(shown, ensure_ascii=False))
    else:
        for each in findings:
            mark = click.style("ok ", fg="green") if each.good else click.style("!! ", fg="red")
            click.echo(f"{mark} {each.name}: {each.found}")
            if each.hint:
                click.echo(f"    {each.hint}")
    return 0 if all(each.good for each in findings) else 1


def _installed(settings: Settings) -> Iterator[Finding]:
    from ltx_studio.engine import comfyui
    from ltx_studio.engine.definitions import snapshot_path
    from ltx_studio.models import Store, default_set, get_registry

    yield Finding("Studio", True, f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    free = shutil.disk_usage(next(path for path in (settings.home, *settings.home.parents) if path.exists())).free
    enough = free >= ENOUGH_BYTES
    yield Finding("Home", enough, f"{settings.home}, {in_bytes(free)} free", "" if enough else "Free some space.")
    try:
        installed = comfyui.find(settings)
        snapshot = snapshot_path(settings)
        set_up = snapshot.is_file()
        yield Finding(
            "ComfyUI",
            set_up,
            f"{installed.version} in {installed.path}" + ("" if set_up else ", never started"),
            "" if set_up else "Run `ltx-studio setup`.",
        )
        model_set = get_registry(settings).get_set(default_set(settings))
        store = Store(settings)
        missing = [file for file in store.registry.needs(model_set.loaders.nodes) if store.find(file) is None]
        names = ", ".join(file.name for file in missing)
        hint = "Run `ltx-studio setup`." if model_set.id == "pocket" else "Run `ltx-studio models get`."
        found = f"{model_set.label}: " + (f"missing: {names}" if missing else "whole")
        yield Finding("Models", not missing, found, hint if missing else "")
    except StudioError as error:
        yield Finding("Set-up", False, error.message, error.hint)


def _agreeing(settings: Settings, repair: bool) -> Iterator[Finding]:
    from ltx_studio.jobs.agreement import Agreement

    if not settings.database_file.exists() and next(settings.outputs_dir.glob("*/*"), None) is None:
        yield Finding("History", True, "there is none yet")
        return
    try:
        agreement = Agreement(settings)
        seen = agreement.look()
        if repair and seen.found:
            agreement.mend(seen)
            yield Finding("Repaired", True, _in_words(seen))
            seen = agreement.look()
    except StudioError as error:
        yield Finding("History", False, error.message, error.hint)
        return
    yield Finding(
        "Database",
        not seen.damage,
        "; ".join(seen.damage) or "whole",
        "Move it away; the clips stay, and `ltx-studio doctor --repair` finds them again." if seen.damage else "",
    )
    agrees = not seen.found
    hint = "" if agrees else "Run `ltx-studio doctor --repair`."
    if seen.all_lost:
        hint = f"No clip is in {settings.outputs_dir}: is its disk there? Else delete the takes."
    yield Finding("History", agrees, _in_words(seen), hint)


def _in_words(seen: "Disagreements") -> str:
    counts = {
        "takes whose file is gone": seen.lost,
        "clips that the history does not know": seen.strays,
        "takes without a poster": seen.posterless,
        "files that nothing needs": seen.unused,
        "other files among the outputs, left alone": seen.unknown,
    }
    told = [f"{len(what)} {name}" for name, what in counts.items() if what]
    return "; ".join(told) or "files and rows agree"
