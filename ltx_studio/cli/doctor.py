"""`ltx-studio doctor`: what is installed, found and missing, and whether files and history agree."""

import os
import platform
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ltx_studio import __version__
from ltx_studio.cli.hints import hint_of
from ltx_studio.cli.output import GIGABYTE, echo, echo_json, secho
from ltx_studio.errors import StudioError
from ltx_studio.permissions import command_to_close, home_error, is_exposed
from ltx_studio.settings import Settings, get_settings
from ltx_studio.text.formatting import in_bytes

if TYPE_CHECKING:
    from ltx_studio.takes.integrity import IntegrityReport

ENOUGH_BYTES = 1 << 30
"""Free bytes that are enough on the disk: the clips of an afternoon."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Attributes: what was checked, whether a run could work, what was found, and the remedy if it could not."""

    name: str
    good: bool
    found: str
    hint: str = ""


def examine(repair: bool, forget_missing: int | None, as_json: bool) -> int:
    """Print the findings, and return 1 if a run could not work or files and history disagree.

    Args:
        repair: Repair the database and the history.
        forget_missing: How many takes with a missing file to remove from the history.
        as_json: Print JSON.

    Raises:
        RequestError: The number of missing takes differs; nothing has changed.
    """
    settings = get_settings()
    if forget_missing is not None:
        _forget(settings, forget_missing)
    findings = [*_installed(settings), *_agreeing(settings, repair), *_private(settings)]
    if as_json:
        echo_json([{"name": each.name, "good": each.good, "found": each.found, "hint": each.hint} for each in findings])
    else:
        for each in findings:
            secho("ok " if each.good else "!! ", nl=False, fg="green" if each.good else "red")
            echo(f" {each.name}: {each.found}")
            if each.hint:
                echo(f"    {each.hint}")
    return 0 if all(each.good for each in findings) else 1


def _installed(settings: Settings) -> Iterator[Finding]:
    from ltx_studio.engine import comfyui
    from ltx_studio.engine.definitions import snapshot_path
    from ltx_studio.models import Store, default_set, get_registry

    yield Finding("Studio", True, f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    yield _home(settings)
    yield _room(settings)
    yield from _limited(settings)
    try:
        installed = comfyui.find(settings)
        snapshot = snapshot_path(settings)
        set_up = snapshot.is_file()
        yield Finding(
            "ComfyUI",
            set_up,
            f"{installed.version} in {installed.path}" + ("" if set_up else ", not set up"),
            "" if set_up else "Run `ltx-studio setup`.",
        )
        model_set = get_registry(settings).get_set(default_set(settings))
        store = Store(settings)
        missing = [file for file in store.registry.needs(model_set.loaders.nodes) if store.find(file) is None]
        names = ", ".join(file.name for file in missing)
        hint = "Run `ltx-studio setup`." if model_set.id == "pocket" else "Run `ltx-studio models get`."
        found = f"{model_set.label}: " + (f"missing: {names}" if missing else "complete")
        yield Finding("Models", not missing, found, hint if missing else "")
    except StudioError as error:
        yield Finding("Set-up", False, error.message, hint_of(error))


def _home(settings: Settings) -> Finding:
    """Check how much space is free at the home, and whether the home, if it exists, is writable."""
    free = shutil.disk_usage(next(path for path in (settings.home, *settings.home.parents) if path.exists())).free
    found = f"{settings.home}, {in_bytes(free)} free"
    try:
        if settings.home.exists():
            with tempfile.TemporaryFile(dir=settings.home):
                pass
    except OSError as error:
        problem = home_error(settings.home, error)
        return Finding("Home", False, problem.message, hint_of(problem))
    enough = free >= ENOUGH_BYTES
    return Finding("Home", enough, found, "" if enough else "Free some space.")


def _room(settings: Settings) -> Finding:
    """Measure how much disk space each folder of the studio uses; links to files elsewhere count as nothing."""
    folders = {
        "takes": settings.outputs_dir,
        "your inputs": settings.kept_dir,
        "prepared inputs": settings.inputs_dir,
        "uploads": settings.temp_dir,
        "models": settings.models_dir,
    }
    used = {name: _size(folder) for name, folder in folders.items()}
    told = [f"{name} {in_bytes(size)}" for name, size in sorted(used.items(), key=lambda item: -item[1]) if size]
    return Finding("Disk use", True, ", ".join(told) or "none yet")


def _limited(settings: Settings) -> Iterator[Finding]:
    """Warn if the takes use more than the user's limit."""
    if settings.output_limit_gb is None:
        return
    size, limit = _size(settings.outputs_dir), settings.output_limit_gb * GIGABYTE
    found = f"takes use {in_bytes(size)} of {in_bytes(limit)}"
    hint = "Delete takes, or run `ltx-studio takes prune`, which keeps favourites."
    yield Finding("Output limit", size <= limit, found, hint if size > limit else "")


def _size(folder: Path) -> int:
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                state = os.lstat(Path(at, name))
                total += state.st_size if stat.S_ISREG(state.st_mode) else 0
    return total


def _forget(settings: Settings, count: int) -> None:
    from ltx_studio.takes.integrity import IntegrityCheck

    IntegrityCheck(settings).forget_missing(count)


def _agreeing(settings: Settings, repair: bool) -> Iterator[Finding]:
    from ltx_studio.queue.damage import DatabaseDamagedError
    from ltx_studio.takes.integrity import IntegrityCheck

    if not settings.database_file.exists() and next(settings.outputs_dir.glob("*/*"), None) is None:
        yield Finding("History", True, "none yet")
        return
    try:
        if repair:
            yield from _recovered(settings)
        agreement = IntegrityCheck(settings)
        seen = agreement.look()
        if repair and seen.found:
            agreement.mend(seen)
            yield Finding("Repaired", True, _in_words(seen))
            seen = agreement.look()
    except StudioError as error:
        name = "Database" if isinstance(error, DatabaseDamagedError) else "History"
        yield Finding(name, False, error.message, hint_of(error))
        return
    yield Finding("Database", True, "ok")
    hint = "Run `ltx-studio doctor --repair`." if seen.found else ""
    if seen.missing and not seen.found:
        hint = (
            f"Check that the disk of {settings.outputs_dir} is mounted: the takes reappear with their files. "
            f"To remove them for good, run `ltx-studio doctor --forget-missing {len(seen.missing)}`."
        )
    yield Finding("History", not seen.found and not seen.missing, _in_words(seen), hint)


def _recovered(settings: Settings) -> Iterator[Finding]:
    """Replace a damaged database with a new one."""
    from ltx_studio.queue.damage import DatabaseDamagedError
    from ltx_studio.queue.database import Database
    from ltx_studio.queue.rebuild import recover

    try:
        with closing(Database(settings.database_file)) as database:
            database.check(thorough=True)
    except DatabaseDamagedError as damage:
        made = recover(settings)
        kept = f"Recovered {made.jobs} jobs and {made.takes} takes. The damaged file is now {made.aside}."
        yield Finding("Recovered", True, f"{damage.message} {kept}")


def _private(settings: Settings) -> Iterator[Finding]:
    """Warn if other users of this machine can read prompts, uploads and clips."""
    if is_exposed(settings.home):
        close = command_to_close(settings.home)
        yield Finding("Privacy", False, f"Other users can read {settings.home}.", f"Run `{close}`.")


def _in_words(seen: "IntegrityReport") -> str:
    counts = (
        (seen.missing, "take with a missing file", "takes with a missing file"),
        (seen.strays, "clip not in the history", "clips not in the history"),
        (seen.posterless, "take without a poster", "takes without a poster"),
        (seen.unused, "unused file", "unused files"),
        (seen.unknown, "unknown file in the outputs, left alone", "unknown files in the outputs, left alone"),
    )
    told = [f"{len(found)} {one if len(found) == 1 else several}" for found, one, several in counts if found]
    return "; ".join(told) or "ok"
