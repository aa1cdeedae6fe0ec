"""Lines on the terminal for plans, verdicts and removals."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ltx_studio.cli.hints import hint_of
from ltx_studio.cli.output import moment
from ltx_studio.families import ModelSet
from ltx_studio.models import Plan, Planned, Registry
from ltx_studio.models.needs import needs_of
from ltx_studio.models.remove import NOT_HERE, Removal
from ltx_studio.models.verify import Verdict
from ltx_studio.text.formatting import in_bytes, in_whole_gb, printable

if TYPE_CHECKING:
    from ltx_studio.studio import Download


def needs_line(model_set: ModelSet, registry: Registry) -> str:
    """Return what a set needs of a machine."""
    needs = needs_of(model_set, registry)
    ram = f"{in_whole_gb(needs.ram)} GB of memory"
    if not needs.vram:
        return f"It needs no GPU, and {ram}."
    vram, whole = in_whole_gb(needs.vram), in_whole_gb(needs.whole)
    return f"It needs a GPU with {vram} GB (faster with {whole} GB), and {ram}. These are estimates."


def plan_lines(made: Plan) -> Iterator[str]:
    yield from (line(planned) for planned in made.files)
    yield totals(made)
    for planned in made.to_place:
        name, folder = planned.file.name, planned.file.folder
        yield f"Put {name} into the folder {folder}, or add its repository to models.toml."
    gated = sorted({planned.file.repo for planned in made.missing if planned.file.gated})
    if gated:
        yield f"These require your consent and a token (HF_TOKEN): {', '.join(gated)}."


def totals(made: Plan) -> str:
    about = "" if all(planned.present or planned.file.exact for planned in made.files) else "about "
    if not made.missing:
        return f"All files are installed: {in_bytes(made.total_bytes)}."
    if all(planned.file.built for planned in made.missing):
        return "Nothing to download: `ltx-studio setup` creates the missing files."
    if made.of_unknown_size:
        count = made.of_unknown_size
        about = f"{count} file{'' if count == 1 else 's'} of unknown size, and {about}"
    said = (
        f"To download: {about}{in_bytes(made.missing_bytes)} of {in_bytes(made.total_bytes)}. "
        f"Free: {in_bytes(made.free_bytes)} at {made.disk}."
    )
    if made.fits and made.of_unknown_size:
        return said
    if made.fits:
        return f"{said} It fits."
    short = in_bytes(made.missing_bytes - made.free_bytes)
    return f"{said} Not enough space: free up {short} more, or set HF_HUB_CACHE to a folder on a larger disk."


def line(planned: Planned) -> str:
    file = planned.file
    state = "installed" if planned.present else "set-up" if file.built else "missing" if file.repo else "add it"
    size = in_bytes(planned.size) if planned.size else "?"
    about = "" if planned.present or file.exact or not planned.size else "~"
    source = ", ".join(part for part in (file.repo, file.licence, "gated" if file.gated else "") if part)
    rest = f" ({in_bytes(planned.partial)} downloaded)" if planned.partial else ""
    rest += f" ({planned.flaw}, so it is ignored)" if planned.flaw else ""
    first = printable(f"  {state:<10}{about + size:>10}  {file.key}{rest}")
    second = printable(f"{'':<24}{file.use or 'your own'} · {source or 'no source'}")
    return f"{first}\n{second}"


def verdict_line(verdict: Verdict) -> str:
    if verdict.is_good:
        return f"  ok       {verdict.file.key}{' (sha256)' if verdict.hashed else ''}"
    where = f": {verdict.path}" if verdict.path else ""
    return f"  {'damaged' if verdict.path else 'missing'}  {verdict.file.key} {verdict.flaw}{where}"


def removal_line(removal: Removal) -> str:
    if removal.kept == NOT_HERE:
        return f"  {'not installed':<14} {removal.file.key}"
    if removal.kept:
        return f"  {'kept':<14} {removal.file.key} {removal.kept}"
    return f"  {'remove':<8}{in_bytes(removal.freed):>10}  {removal.file.key}"


def download_line(download: "Download") -> str:
    """Return the line of a download, and a second one with the error if it has failed."""
    progress = download.progress
    amount = f"{in_bytes(progress.done)} of {in_bytes(progress.size)}" if progress.size else ""
    state = "is stopping" if download.is_stopping else _STATES.get(download.state.name, download.state.name)
    first = printable(f"{download.id}  {moment(download.created)}  {state:<11}  {amount:>22}  {download.title}")
    error = download.error
    return f"{first}\n  {printable(f'{error.message} {hint_of(error)}')}" if error else first


_STATES = {"queued": "waiting", "running": "running"}
