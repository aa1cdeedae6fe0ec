"""Check one studio: what is installed and what is missing, and whether files and history agree.

The checks work without ComfyUI, without a home, and with a damaged database.
"""

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
from ltx_studio.advice import Advice, Do
from ltx_studio.errors import SetupError, StudioError
from ltx_studio.permissions import command_to_close, home_error, is_exposed
from ltx_studio.settings import Settings
from ltx_studio.text.formatting import GIGABYTE, in_bytes

if TYPE_CHECKING:
    from ltx_studio.families import ModelSet
    from ltx_studio.takes.integrity import IntegrityReport

ENOUGH_BYTES = 1 << 30
"""Free bytes that are enough on the disk: the clips of an afternoon."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        name: What was checked.
        found: What was found.
        problem: Why a run could not work; None if it could.
    """

    name: str
    found: str
    problem: StudioError | None = None

    @property
    def good(self) -> bool:
        """Return whether a run could work."""
        return self.problem is None


def examine(settings: Settings, *, repair: bool = False) -> Iterator[Finding]:
    """Yield the findings; with `repair`, first repair the database and the history."""
    yield from _installed(settings)
    yield from _agreeing(settings, repair=repair)
    yield from _workers(settings)
    yield from _private(settings)


def forget_missing(settings: Settings, count: int) -> None:
    """Remove the takes whose file is missing from the history.

    Args:
        settings: The studio's settings.
        count: How many there are.

    Raises:
        RequestError: There are more or fewer; nothing has changed.
    """
    from ltx_studio.takes.integrity import IntegrityCheck

    IntegrityCheck(settings).forget_missing(count)


def _of(name: str, problem: StudioError) -> Finding:
    return Finding(name, problem.message, problem)


def _problem(found: str, hint: str, advice: Advice | None = None) -> SetupError:
    return SetupError(found, hint, advice=advice)


def _installed(settings: Settings) -> Iterator[Finding]:
    from ltx_studio.engine import comfyui
    from ltx_studio.engine.definitions import snapshot_path
    from ltx_studio.models import Store, default_set, get_registry

    yield Finding("Studio", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    yield _hardware()
    yield _home(settings)
    yield _room(settings)
    yield from _limited(settings)
    set_up = Advice.to(Do.SET_UP)
    try:
        installed = comfyui.find(settings)
        found = f"{installed.version} in {installed.path}"
        if snapshot_path(settings).is_file():
            yield Finding("ComfyUI", found)
        else:
            found = f"{found}, not set up"
            yield Finding("ComfyUI", found, _problem(found, "Run the set-up.", set_up))
        model_set = get_registry(settings).get_set(default_set(settings))
        yield _suited(model_set, settings)
        store = Store(settings)
        missing = [file for file in store.registry.needs(model_set.loaders.nodes) if store.find(file) is None]
        if not missing:
            yield Finding("Models", f"{model_set.label}: complete")
            return
        found = f"{model_set.label}: missing: {', '.join(file.name for file in missing)}"
        if model_set.id == "pocket":
            problem: StudioError = _problem(found, "Run the set-up.", set_up)
        elif all(file.repo for file in missing):
            problem = _problem(found, "Download them.", Advice.to(Do.GET_MODELS))
        else:  # they have no source, so a download would only fail
            problem = store.missing([file for file in missing if not file.repo])
        yield Finding("Models", found, problem)
    except StudioError as error:
        yield _of("Set-up", error)


def _hardware() -> Finding:
    from ltx_studio.studio import will_it_run

    return Finding("Hardware", will_it_run.named(will_it_run.hardware()))


def _suited(model_set: "ModelSet", settings: Settings) -> Finding:
    """Report which model set suits the hardware, or that the set in use hardly runs on it."""
    from ltx_studio.models import get_registry
    from ltx_studio.studio import will_it_run

    registry, found = get_registry(settings), will_it_run.hardware()
    best = registry.get_set(will_it_run.recommended(registry, found))
    said = will_it_run.warning(model_set, registry, found)
    if said:
        hint = f"{best.label} suits this computer."
        return Finding("Model set", said, _problem(said, hint, Advice.to(Do.USE_SET, model_set=best.id)))
    return Finding("Model set", f"{model_set.label} ({model_set.id}); recommended here: {best.label} ({best.id})")


def _home(settings: Settings) -> Finding:
    """Check how much space is free at the home, and whether the home, if it exists, is writable."""
    free = shutil.disk_usage(next(path for path in (settings.home, *settings.home.parents) if path.exists())).free
    found = f"{settings.home}, {in_bytes(free)} free"
    try:
        if settings.home.exists():
            with tempfile.TemporaryFile(dir=settings.home):
                pass
    except OSError as error:
        return _of("Home", home_error(settings.home, error))
    return Finding("Home", found, None if free >= ENOUGH_BYTES else _problem(found, "Free some space."))


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
    return Finding("Disk use", ", ".join(told) or "none yet")


def _limited(settings: Settings) -> Iterator[Finding]:
    """Warn if the takes use more than the user's limit."""
    if settings.output_limit_gb is None:
        return
    size, limit = _size(settings.outputs_dir), settings.output_limit_gb * GIGABYTE
    found = f"clips use {in_bytes(size)} of {in_bytes(limit)}"
    too_much = _problem(found, "Delete clips that you no longer need.", Advice.to(Do.PRUNE_TAKES))
    yield Finding("Output limit", found, too_much if size > limit else None)


def _size(folder: Path) -> int:
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                state = os.lstat(Path(at, name))
                total += state.st_size if stat.S_ISREG(state.st_mode) else 0
    return total


def _agreeing(settings: Settings, *, repair: bool) -> Iterator[Finding]:
    from ltx_studio.queue.damage import DatabaseDamagedError
    from ltx_studio.takes.integrity import IntegrityCheck

    if not settings.database_file.exists() and next(settings.outputs_dir.glob("*/*"), None) is None:
        yield Finding("History", "none yet")
        return
    try:
        if repair:
            yield from _recovered(settings)
        agreement = IntegrityCheck(settings)
        seen = agreement.look()
        if repair and seen.found:
            agreement.mend(seen)
            yield Finding("Repaired", _in_words(seen))
            seen = agreement.look()
    except StudioError as error:
        yield _of("Database" if isinstance(error, DatabaseDamagedError) else "History", error)
        return
    yield Finding("Database", "ok")
    found = _in_words(seen)
    problem = None
    if seen.found:
        problem = _problem(found, "Repair the history.", Advice.to(Do.REPAIR_HISTORY))
    elif seen.missing:
        advice = Advice.to(Do.BRING_BACK_FILES, folder=str(settings.outputs_dir), count=str(len(seen.missing)))
        problem = _problem(found, f"Check that the disk of {settings.outputs_dir} is mounted.", advice)
    yield Finding("History", found, problem)


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
        kept = f"Recovered {made.jobs} jobs and {made.takes} clips. The damaged file is now {made.aside}."
        yield Finding("Recovered", f"{damage.message} {kept}")


def _workers(settings: Settings) -> Iterator[Finding]:
    """Report the workers of a cluster, if the studio is being served with one."""
    from ltx_studio.runners.cluster_state import read_states

    for state in read_states(settings):
        said = state.problem or ", ".join(filter(None, [state.device or "ready", state.model_set, state.job]))
        refused = _problem(f"{state.name}: {said}", "Fix this on that machine, then restart its worker.")
        yield Finding("Worker", f"{state.name}: {said}", refused if state.problem else None)


def _private(settings: Settings) -> Iterator[Finding]:
    """Warn if other users of this machine can read prompts, uploads and clips."""
    if is_exposed(settings.home):
        found, close = f"Other users can read {settings.home}.", command_to_close(settings.home)
        yield Finding("Privacy", found, _problem(found, f"Run `{close}`."))


def _in_words(seen: "IntegrityReport") -> str:
    counts = (
        (seen.missing, "clip with a missing file", "clips with a missing file"),
        (seen.strays, "clip not in the history", "clips not in the history"),
        (seen.posterless, "clip without a poster", "clips without a poster"),
        (seen.unused, "unused file", "unused files"),
        (seen.unknown, "unknown file in the outputs, left alone", "unknown files in the outputs, left alone"),
    )
    told = [f"{len(found)} {one if len(found) == 1 else several}" for found, one, several in counts if found]
    return "; ".join(told) or "ok"
