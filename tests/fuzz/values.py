"""Hostile JSON: values that parsers stumble over, mutations of real documents, and hypothesis strategies for both."""

import copy
import json
import math
import re
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import strategies as st

Json = Any

STORMS = (
    *(
        "/*a",
        "/*",
        "/*/",
        "*/",
        "//",
        "{",
        "}",
        "{a|",
        "{a|b}",
        "|",
        "\\",
        "\\{",
        "(",
        "((a+)+",
        "[",
        "]",
        "%date:",
        "$",
    ),
    *("../", "/", "a:", ":", ";", ",", '"', "'", "\n", "\r", " ", "\t", "\0", "<", "&", "\x1b[31m", "a", "é", "\u202e"),
)
"""Texts that are repeated: work that grows faster than the text is found so."""

NUMBERS: tuple[Json, ...] = (
    *(0, -1, 1, 2, 7, 2**31, -(2**31) - 1, 2**53, 2**63, -(2**63) - 1, 2**64, 10**30, 10**400, -(10**400)),
    *(0.5, -0.0, 1e-320, 1e308, -1e308, math.inf, -math.inf, math.nan),
)
WORDS: tuple[str, ...] = (
    *("", " ", "\0", "a\0b", "\ud800", "a\udfffb", "..", "../../etc/passwd", "/etc/passwd", "~root/x", "C:\\x", "-1"),
    *("1e999", "NaN", "Infinity", "0x10", "１２", "1_000", "true", "None", "{a|{b|c}}", "/* x", "// x", "a [output]"),
    *("%date:yyyy%", "\x1b]0;x\x07", "\u202egnp.exe", "\n", "a" * 300, "9" * 5000, "e\u0301" * 40, "__class__", "."),
    *(
        "input/x.png",
        "image.png",
        "clip.mp4",
        "speech.wav",
        "style.safetensors",
        "file:///etc/passwd",
        "http://127.0.0.1/x",
    ),
)
OTHERS: tuple[Json, ...] = (
    *(None, True, False, [], {}, [[]], [None], [{}], {"": None}, {"a": {"b": []}}, ["1", 0], ["1", -1], ["1", 10**20]),
    *(["1", True], ["nobody", 0], [1, 2, 3], [1, 0], ["1", 0, 0], {"__value__": [1]}, {"__value__": None}, ["a", "b"]),
)


def hostile(random: Random) -> Json:
    """Return a value that its place does not expect."""
    kind = random.random()
    if kind < 0.35:
        return random.choice(NUMBERS)
    if kind < 0.65:
        return random.choice(WORDS)
    if kind < 0.88:
        return copy.deepcopy(random.choice(OTHERS))
    if kind < 0.95:
        return storm(random)
    return nested(random.choice((10, 31, 32, 33, 60, 200)), as_object=random.random() < 0.5)


def storm(random: Random) -> str:
    """Return a text of one or two patterns, repeated."""
    longest = random.choice((100, 3000, 30_000, 120_000))
    text = "".join(random.choice(STORMS) for _ in range(random.randint(1, 2)))
    return text * (longest // len(text))


def nested(depth: int, *, as_object: bool = False) -> Json:
    """Return lists or objects inside each other."""
    value: Json = []
    for _ in range(depth):
        value = {"a": value} if as_object else [value]
    return value


def places(value: Json, found: list[tuple[Any, Any]] | None = None) -> list[tuple[Any, Any]]:
    """List every place in a document that can be changed, as (container, key)."""
    found = [] if found is None else found
    if isinstance(value, dict):
        for key, each in value.items():
            found.append((value, key))
            places(each, found)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            found.append((value, index))
            places(each, found)
    return found


def mutate_json(document: Json, random: Random, most: int = 4) -> Json:
    """Return the document with a few things in it changed; it is changed in place where that can be."""
    for _ in range(random.randint(1, most)):
        try:
            all_places = places(document)
        except RecursionError:
            return document
        if not all_places or random.random() < 0.01:
            return hostile(random)
        container, key = random.choice(all_places)
        random.choice(_CHANGES)(container, key, random, all_places)
    return document


def _replace(container: Any, key: Any, random: Random, _: list[tuple[Any, Any]]) -> None:
    container[key] = hostile(random)


def _delete(container: Any, key: Any, random: Random, _: list[tuple[Any, Any]]) -> None:
    del container[key]


def _swap(container: Any, key: Any, random: Random, all_places: list[tuple[Any, Any]]) -> None:
    other, place = random.choice(all_places)
    copied = json.loads(json.dumps(other[place]))  # a document that holds itself is no JSON
    container[key] = copied


def _wrap(container: Any, key: Any, random: Random, _: list[tuple[Any, Any]]) -> None:
    container[key] = [container[key]] if random.random() < 0.5 else {"value": container[key]}


def _retype(container: Any, key: Any, random: Random, _: list[tuple[Any, Any]]) -> None:
    value = container[key]
    if isinstance(value, str):
        container[key] = random.choice((len(value), list(value[:3]), {value[:20]: value[:20]}))
    elif isinstance(value, int | float):
        container[key] = random.choice((str(value), [value], -value, _with_half(value), bool(value)))
    elif isinstance(value, list):
        container[key] = random.choice((value * 3, value[::-1], value[:1], dict(enumerate(map(str, value[:5])))))
    elif isinstance(value, dict):
        container[key] = random.choice((list(value), list(value.values()), None))


def _with_half(value: float) -> float:
    try:
        return value + 0.5
    except OverflowError:  # an integer of more than 308 digits
        return -0.5


def _rename(container: Any, key: Any, random: Random, all_places: list[tuple[Any, Any]]) -> None:
    if isinstance(container, dict):
        names = [place for other, place in all_places if isinstance(other, dict)]
        container[random.choice((*names[:50], *WORDS))] = container.pop(key)
    else:
        container.insert(key, container[key])


_CHANGES: tuple[Callable[[Any, Any, Random, list[tuple[Any, Any]]], None], ...] = (
    *(_replace, _replace, _replace, _replace, _delete, _swap, _wrap, _retype, _retype, _rename),
)

_DIGITS = re.compile(r"(?<=[\s:,\[])-?\d+(?=[\s,\]}])")


def as_text(document: Json, random: Random | None = None) -> bytes:
    """Write a document as JSON; now and then, with changes that only text can have."""
    text = json.dumps(document, ensure_ascii=random is None or random.random() < 0.7)
    data = text.encode("utf-8", "surrogatepass" if random is not None and random.random() < 0.1 else "replace")
    if random is None or random.random() > 0.06:
        return data
    spots = list(_DIGITS.finditer(text[:200_000]))
    if spots and random.random() < 0.6:
        spot = random.choice(spots)
        word = random.choice(("1e999", "-1e999", "9" * 4400, "-", "01", "NaN", "1e-999", "0.1e400", "9" * 310 + ".5"))
        return f"{text[: spot.start()]}{word}{text[spot.end() :]}".encode("utf-8", "replace")
    return mutate_bytes(data, random)


_EXTREMES = (
    b"\0" * 4,
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x80\0\0\0",
    b"\0\0\0\x01",
    b"\x01\0\0\0",
)


def mutate_bytes(data: bytes, random: Random, most: int = 6) -> bytes:
    """Return bytes with a few changes: flipped, set to extremes, cut out, cut off, doubled, inserted."""
    changed = bytearray(data)
    for _ in range(random.randint(1, most)):
        if not changed:
            return bytes(random.getrandbits(8) for _ in range(random.randint(0, 40)))
        # headers are at the beginning, and are what matters
        at = random.randrange(min(len(changed), 400) if random.random() < 0.5 else len(changed))
        match random.randrange(7):
            case 0:
                changed[at] ^= 1 << random.randrange(8)
            case 1:
                changed[at] = random.getrandbits(8)
            case 2:
                changed[at : at + 4] = random.choice(_EXTREMES)
            case 3:
                del changed[at : at + random.choice((1, 2, 4, 64))]
            case 4:
                changed[at:at] = bytes(random.getrandbits(8) for _ in range(random.choice((1, 2, 4, 64))))
            case 5:
                changed[at:at] = changed[at : at + random.choice((4, 64, 1024))] * random.choice((1, 2, 50))
            case _ if random.random() < 0.3:
                del changed[at:]
    return bytes(changed)


LEAVES: "st.SearchStrategy[Json]" = st.one_of(
    st.sampled_from(NUMBERS),
    st.sampled_from(WORDS),
    st.sampled_from(OTHERS),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.text(st.characters(codec=None), max_size=20),  # lone surrogates among them
    st.builds(lambda text, times: text * times, st.sampled_from(STORMS), st.integers(1, 20_000)),
    st.builds(nested, st.integers(1, 200), as_object=st.booleans()),
)

ANYTHING: "st.SearchStrategy[Json]" = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
"""JSON of any shape."""


def mostly(usual: "st.SearchStrategy[Json]", odd: "st.SearchStrategy[Json]" = LEAVES) -> "st.SearchStrategy[Json]":
    """Draw what is usual in a place, and one time in ten what is not."""
    return st.integers(0, 9).flatmap(lambda number: odd if number == 9 else usual)
