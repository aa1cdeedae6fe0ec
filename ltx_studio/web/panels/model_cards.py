"""HTML of the models panel: the files of a set, downloads, checks, removals. Text from outside is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape

from ltx_studio.events import Fetching
from ltx_studio.families import ModelSet
from ltx_studio.models import ModelFile, Plan, Planned
from ltx_studio.models.hardware import Hardware
from ltx_studio.models.needs import Needs
from ltx_studio.models.remove import Removal
from ltx_studio.models.verify import Reading, Verdict
from ltx_studio.text.catalogue import translated
from ltx_studio.text.formatting import in_bytes, in_round_bytes, in_whole_gb
from ltx_studio.text.phrases import FETCHING
from ltx_studio.web import words
from ltx_studio.web.cards import prose
from ltx_studio.web.panels import texts


def plan(shown: Plan, *, notice: str, note: str) -> str:
    """Return the card of a model set: its files with size, source and licence, and whether they fit on the disk."""
    rows = "".join(_planned(planned) for planned in shown.files)
    about = f'<p class="notice">{prose(translated(notice))}</p>' if notice else ""
    count = texts.FILES_OF_SET.format(count=len(shown.files))
    return (
        f'<div class="card">{about}<p>{prose(_what_is_missing(shown))}</p>'
        + (f'<p class="summary">{prose(note)}</p>' if note else "")
        + f'<details><summary>{escape(count)}</summary><ul class="files">{rows}</ul></details></div>'
    )


def _what_is_missing(shown: Plan) -> str:
    """Return how much is to be downloaded and whether it fits, and what else is to be done before the set runs."""
    missing, total, free = (
        in_round_bytes(count) for count in (shown.missing_bytes, shown.total_bytes, shown.free_bytes)
    )
    if not shown.missing:
        return f"{texts.ALL_HERE.format(total=total)} {texts.FREE.format(free=free)}"
    said = []
    if any(planned.file.built for planned in shown.missing):
        said.append(texts.NEEDS_SET_UP)
    if shown.to_place:
        said.append(texts.to_place(len(shown.to_place)))
    if any(planned.file.repo for planned in shown.missing):
        said.append(texts.TO_FETCH.format(missing=missing, total=total, free=free))
    if not shown.fits:
        said.append(texts.NO_ROOM.format(short=in_bytes(shown.missing_bytes - shown.free_bytes)))
    return " ".join(said)


def needs(
    chosen: ModelSet,
    needed: Needs,
    *,
    disk: int,
    seconds: tuple[int, int] | None = None,
    best_for: Hardware | None = None,
    warning: str = "",
) -> str:
    """Return the card that says what a set needs of a machine.

    Args:
        chosen: The set.
        needed: The memory that it needs.
        disk: The bytes of its files.
        seconds: Between how many seconds a clip of five seconds takes here, if known.
        best_for: This machine's hardware if the set suits it best.
        warning: Why the set hardly runs here; empty if it does.
    """
    vram = texts.NEEDS_NO_GPU
    if needed.vram:
        vram = texts.NEEDS_VRAM.format(least=in_whole_gb(needed.vram), whole=in_whole_gb(needed.whole))
    rows = {
        texts.NEED_VRAM: vram,
        texts.NEED_RAM: texts.NEEDS_RAM.format(size=in_whole_gb(needed.ram)),
        **({texts.NEED_DISK: in_round_bytes(disk)} if disk else {}),
    }
    if seconds is not None:
        low, high = map(words.rounded, seconds)
        rows[texts.NEED_TIME] = texts.NEEDS_TIME.format(low=low, high=high)
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in rows.items())
    best = f'<p class="best">{escape(texts.RECOMMENDED_FOR.format(what=_what(best_for)))}</p>' if best_for else ""
    bad = f'<p class="notice" data-say>{escape(translated(warning))}</p>' if warning else ""
    basis = texts.MEASURED
    if not needed.is_measured:
        basis = texts.ESTIMATED.format(width=chosen.width, height=chosen.height)
    return f'<div class="card needs">{best}{bad}<dl>{listed}</dl><p class="summary">{escape(basis)}</p></div>'


def _what(found: Hardware) -> str:
    """Return what a machine is called in a recommendation."""
    return texts.A_GPU.format(size=in_whole_gb(found.vram)) if found.vram and not found.shared else texts.A_COMPUTER


def _planned(planned: Planned) -> str:
    file = planned.file
    state = texts.HERE if planned.present else texts.BUILT if file.built else texts.MISSING if file.repo else ""
    about = "" if planned.present or file.exact else "~"
    size = f"{about}{in_bytes(planned.size)}" if planned.size else "" if file.built else texts.UNKNOWN_SIZE
    notes = [texts.PARTLY_HERE.format(partial=in_bytes(planned.partial))] if planned.partial else []
    notes += [texts.DOES_NOT_COUNT] if planned.flaw else []
    gated = texts.GATED if file.gated else ""
    below = (translated(file.use), file.repo, file.licence, gated, translated(file.caution), *notes)
    return _row(file, f"{size} {state or texts.NO_SOURCE}".strip(), below, quiet=planned.present)


def _row(file: ModelFile, state: str, below: Iterable[str] = (), *, quiet: bool) -> str:
    """Return a file's row with its state and notes; `quiet` rows need no attention."""
    said = " · ".join(escape(part) for part in below if part)
    source = f'<span class="source">{said}</span>' if said else ""
    return (
        f'<li class="{"here" if quiet else ""}"><span class="name">{escape(file.name)}</span>'
        f'<span class="state">{escape(state)}</span>{source}</li>'
    )


def downloads(rows: Iterable[Fetching], title: str) -> str:
    """Return a download's card with a progress bar for each of its files, and one for all.

    It changes every second, so it is nothing that screen readers read out by themselves; how it ended is.
    """
    rows = list(rows)
    bars = "".join(_bar(row.file, row.done, row.size, translated(row.note or FETCHING[row.phase])) for row in rows)
    # rows are in the order in which the files began, not in that of their latest events
    newest = max(rows, key=lambda row: row.all_done, default=None)
    in_all = _bar(texts.IN_ALL, newest.all_done, newest.all_size, "") if newest else ""
    close = f'<p class="summary">{texts.FETCH_CLOSE}</p>'
    said = escape(translated(title))
    return f'<div class="card" role="group" aria-label="{said}"><p>{said}</p>{bars}{in_all}{close}</div>'


def _bar(name: str, done: int, size: int, note: str) -> str:
    amount = texts.OF.format(done=in_bytes(done), size=in_bytes(size))
    return (
        f'<div class="bytes"><div class="status"><p>{escape(name)}</p><p class="elapsed">{escape(amount)}</p></div>'
        f'<progress max="{max(size, 1)}" value="{done}" aria-label="{escape(name)}"></progress>'
        f'<p class="summary">{escape(note)}</p></div>'
    )


def checking(reading: Reading | None, done: int, count: int) -> str:
    """Return the card of a running check: how many files are done, and the progress of the one being read.

    It changes three times a second, so it is nothing that screen readers read out by themselves; the result is.
    """
    said = escape(texts.CHECKING.format(done=done, count=count))
    bar = _bar(reading.file.key, reading.done, reading.size, texts.READ) if reading else ""
    return (
        f'<div class="card"><p>{said}</p>'
        f'<progress max="{max(count, 1)}" value="{done}" aria-label="{said}"></progress>{bar}</div>'
    )


def checked(verdicts: Sequence[Verdict], *, bad: int, contents: bool) -> str:
    """Return the card with a check's result."""
    count = len({verdict.file.key for verdict in verdicts})
    good = texts.all_good(count)
    said = texts.SOME_BAD.format(bad=bad, count=count) if bad else good
    rows = "".join(_verdict(verdict, contents=contents) for verdict in verdicts)
    return _listed(said, rows)


def _verdict(verdict: Verdict, *, contents: bool) -> str:
    good = texts.CHECKED_BY_SIZE
    if contents:
        good = texts.CHECKED_BY_CONTENTS if verdict.hashed else texts.NOT_COMPARED
    below = translated(verdict.flaw) if verdict.flaw else good
    return _row(verdict.file, texts.WHOLE if verdict.is_good else texts.WRONG, [below], quiet=verdict.is_good)


def removal(wanted: Sequence[Removal], shared: Iterable[tuple[ModelFile, str]], *, note: str) -> str:
    """Return the card that says what removing would do."""
    freed = sum(each.freed for each in wanted)
    goes = any(each.does_something for each in wanted)
    said = texts.WOULD_GO.format(freed=in_bytes(freed)) if goes else texts.NOTHING_GOES
    rows = "".join(_removal(each, texts.GOES) for each in wanted)
    rows += "".join(_row(file, texts.STAYS, [texts.NEEDED_BY.format(id=other)], quiet=True) for file, other in shared)
    return _listed(said, rows, note if goes else "")


def removed(done: Sequence[Removal]) -> str:
    """Return the card that says what was removed."""
    rows = "".join(_removal(each, texts.GONE) for each in done)
    return _listed(texts.REMOVED.format(freed=in_bytes(sum(each.freed for each in done))), rows)


def _removal(each: Removal, goes: str) -> str:
    if each.kept and not each.freed:
        return _row(each.file, texts.STAYS, [translated(each.kept)], quiet=True)
    return _row(each.file, f"{in_bytes(each.freed)} {goes}", [translated(each.kept)], quiet=False)


def _listed(said: str, rows: str, note: str = "") -> str:
    """Return a card with a sentence and the files that it is about."""
    below = f'<p class="summary">{prose(note)}</p>' if note else ""
    return f'<div class="card"><p data-say>{escape(said)}</p><ul class="files">{rows}</ul>{below}</div>'
