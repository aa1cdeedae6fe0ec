"""The history's cards: one take each, takes of one batch together on a contact sheet, and a heading for each day."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from mimetypes import guess_type
from typing import Any

from ltx_studio.studio import Studio, TakeRecord
from ltx_studio.web import words
from ltx_studio.web.files import address
from ltx_studio.web.panels.compare import mode_label

LABEL_LETTERS = 120
"""Characters of a prompt in a card's label for screen readers."""
SHOWN_LETTERS = 300
"""Characters of a prompt in a card; more than it has room for."""


def items(studio: Studio, takes: Sequence[TakeRecord]) -> str:
    """Return the list items for takes, newest first.

    Before each is an empty item, which the browser makes the heading of a day: it alone knows the visitor's time zone.
    """
    return "".join(_items(studio, takes))


def clip(studio: Studio, take: TakeRecord) -> str:
    """Return the silent video that plays in a card.

    Raises:
        OSError: The file is missing.
    """
    source = escape(address(studio.takes.path(take)))
    return f'<video class="moving" src="{source}" muted loop playsinline disablepictureinpicture tabindex="-1"></video>'


def name_of(take: TakeRecord) -> str:
    """Return a take's name for screen readers: mode, seed, length, and the start of its prompt."""
    seed = take.seed
    prompt = " ".join(take.prompt.split())
    short = prompt if len(prompt) <= LABEL_LETTERS else f"{prompt[:LABEL_LETTERS].rstrip()}…"
    values: Mapping[str, Any] = {
        "mode": mode_label(take.mode),
        "seed": words.NO_SEED if seed is None else seed,
        "seconds": take.clip.get("seconds"),
        "prompt": short or words.NO_PROMPT,
    }
    return (words.TAKE_STILL if values["seconds"] is None else words.TAKE).format(**values)


def _items(studio: Studio, takes: Sequence[TakeRecord]) -> Iterator[str]:
    for _, group in groupby(takes, key=lambda take: take.batch or take.id):
        together = list(group)
        yield f'<li class="day" data-made="{_made(together[0])}" hidden><h3></h3></li>'
        yield _card(studio, together[0]) if len(together) == 1 else _sheet(studio, together)


def _sheet(studio: Studio, takes: Sequence[TakeRecord]) -> str:
    """Return the contact sheet of a batch; where its takes have one prompt, it stands above them and not in each."""
    first = takes[0]
    is_same = all(take.prompt == first.prompt for take in takes)
    prompt = f'<span class="prompt" dir="auto">{escape(first.prompt[:SHOWN_LETTERS])}</span>' if is_same else ""
    shots = "".join(_card(studio, take, in_sheet=True) for take in takes)
    return (
        f'<li class="sheet{" same" if is_same else ""}" data-batch="{escape(str(first.batch))}">'
        f'<div class="sheet-head"><span class="count"></span>{prompt}'
        '<button type="button" class="others" hidden></button></div>'
        f'<ul class="shots" aria-label="{words.SHEET}">{shots}</ul></li>'
    )


def _card(studio: Studio, take: TakeRecord, *, in_sheet: bool = False) -> str:
    named = escape(name_of(take))
    star, keep = (words.KEEP_TAKE, f"<span>{words.KEEP_ONE}</span>") if in_sheet else (words.FAVOURITE, "")
    buttons = (
        f'<button type="button" class="star" tabindex="-1" aria-pressed="{str(take.favourite).lower()}"'
        f' aria-keyshortcuts="f" aria-label="{star.format(take=named)}">{keep}</button>'
        '<button type="button" class="mark" tabindex="-1" role="checkbox" aria-checked="false"'
        f' aria-keyshortcuts="m" aria-label="{words.MARK.format(take=named)}"></button>'
        f'<button type="button" class="tag" tabindex="-1" aria-haspopup="dialog" aria-keyshortcuts="t"'
        f' title="{words.ADD_TAG}" aria-label="{words.TAG.format(take=named)}"></button>'
    )
    tags = "".join(f"<span>{escape(tag)}</span>" for tag in take.tags)
    return (
        f'<li class="take" data-take="{escape(take.id)}" data-number="{take.number}">'
        f'<button type="button" class="open" tabindex="-1" aria-label="{named}">{_tile(studio, take)}'
        f'<span class="prompt" dir="auto">{escape(take.prompt[:SHOWN_LETTERS])}</span>'
        f'<span class="tags" dir="auto">{tags}</span>{_figures(take)}</button>'
        f'<div class="over">{buttons}</div></li>'
    )


def _tile(studio: Studio, take: TakeRecord) -> str:
    """Return the card's picture with its length, or a word in its place."""
    if studio.takes.is_missing(take):
        return f'<span class="tile">{words.FILE_MISSING}</span>'
    kind = guess_type(take.file)[0] or ""
    plays = " data-plays" if kind.startswith("video/") else ""
    try:
        inner = f'<img src="{escape(address(studio.takes.poster(take.id)))}" alt="" loading="lazy" decoding="async">'
    except OSError:  # there is none, or it was just deleted
        inner = words.SOUND_TILE if kind.startswith("audio") else words.NO_POSTER
    seconds = take.clip.get("seconds")
    length = "" if seconds is None else f'<span class="length">{words.SECONDS.format(seconds=seconds)}</span>'
    return f'<span class="tile"{plays}>{inner}{length}</span>'


def _figures(take: TakeRecord) -> str:
    """Return mode, seed and time, shown below the prompt."""
    seed = "" if take.seed is None else f"<span>{words.SEED.format(seed=take.seed)}</span>"
    made = _made(take)
    return (
        f'<span class="figures"><span class="mode">{escape(mode_label(take.mode))}</span>{seed}'
        f'<time datetime="{made}">{made[11:16]}</time></span>'
    )


def _made(take: TakeRecord) -> str:
    return datetime.fromtimestamp(take.created, UTC).isoformat(timespec="seconds")
