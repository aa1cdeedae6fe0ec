"""The user's LoRAs: the files in the folders of the studio and of the user, and what their headers say of them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ltx_studio.errors import RequestError
from ltx_studio.graph.model_inputs import model_inputs
from ltx_studio.media import check_lora
from ltx_studio.media.prepare_inputs import OWN
from ltx_studio.models.registry import Registry
from ltx_studio.models.search_paths import files_of, roots_of
from ltx_studio.safetensors_header import read_header
from ltx_studio.settings import Settings

FOLDER = "loras"
SUFFIX = ".safetensors"
MOST_LISTED = 1_000
MOST_TRIGGERS = 8
LONGEST = 80
"""Characters of a name, a trigger word or a base model that are shown; a header may hold megabytes."""

_TITLES = ("modelspec.title", "ss_output_name", "title", "name")
_BASES = ("ss_base_model_version", "modelspec.architecture", "base_model", "ss_sd_model_name", "baseModel")
_TRIGGERS = ("modelspec.trigger_phrase", "trigger_words", "trained_words", "trigger_word", "ss_trigger_words",
             "instance_prompt")  # fmt: skip
"""Metadata fields in the order in which they are believed: of the modelspec standard, of kohya's trainer, and of the
trainers that follow neither."""
_TAGS = "ss_tag_frequency"


@dataclass(frozen=True, slots=True)
class LoraCard:
    """What a LoRA's header says of it; any of it may be empty."""

    title: str = ""
    base: str = ""
    triggers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundLora:
    """A LoRA in one of the folders.

    Attributes:
        name: Its path below that folder, without the suffix.
        path: The file.
        card: What its header says.
        fits: Whether the model set can use it.
    """

    name: str
    path: Path
    card: LoraCard
    fits: bool


def find_loras(settings: Settings, registry: Registry, token_width: int) -> list[FoundLora]:
    """Return the user's LoRAs by name, those that fit first. The model sets' own are left out: they act by themselves.

    Args:
        settings: The studio's settings, which name the folders.
        registry: The known files and sets.
        token_width: The width of the model's picture tokens, which a LoRA must match.
    """
    ours = set(_of_sets(registry))
    roots = roots_of(FOLDER, settings)
    prepared = settings.models_dir / FOLDER / OWN
    found: dict[Path, FoundLora] = {}
    for path in files_of(FOLDER, settings):
        if path.suffix.lower() != SUFFIX or path.name in ours or path.is_relative_to(prepared) or not path.is_file():
            continue
        name = next(path.relative_to(root).with_suffix("").as_posix() for root in roots if path.is_relative_to(root))
        found.setdefault(path.resolve(), FoundLora(name, path, lora_card(path), _fits(path, token_width)))
        if len(found) == MOST_LISTED:
            break
    return sorted(found.values(), key=lambda lora: (not lora.fits, lora.name.casefold()))


def lora_card(path: Path) -> LoraCard:
    """Return what a LoRA's header says; an empty card if it cannot be read."""
    try:
        state = path.stat()
        return _card(path, state.st_size, state.st_mtime_ns)
    except (OSError, ValueError, OverflowError):
        return LoraCard()


@lru_cache(maxsize=MOST_LISTED)
def _card(path: Path, size: int, changed: int) -> LoraCard:  # noqa: ARG001
    noted = read_header(path).metadata
    triggers = _words(noted.get(name, "") for name in _TRIGGERS) or _most_frequent(noted.get(_TAGS, ""))
    return LoraCard(_first(noted, _TITLES), _first(noted, _BASES), tuple(triggers))


def _first(noted: Mapping[str, str], names: Iterable[str]) -> str:
    return next((text for name in names if (text := _short(noted.get(name, "")))), "")


def _words(texts: Iterable[str]) -> list[str]:
    """Return the trigger words of the first text that has some: a list in JSON, or words with commas between them."""
    for text in texts:
        told = _parsed(text)
        parts = told if isinstance(told, list) else re.split(r"[,;\n]", text)
        found = list(dict.fromkeys(word for part in parts if isinstance(part, str) and (word := _short(part))))
        if found:
            return found[:MOST_TRIGGERS]
    return []


def _most_frequent(text: str) -> list[str]:
    """Return the most frequent tags of the pictures it was trained with: folder → tag → count, in JSON."""
    told = _parsed(text)
    counts: dict[str, float] = {}
    for tags in told.values() if isinstance(told, dict) else ():
        for tag, count in tags.items() if isinstance(tags, dict) else ():
            if isinstance(count, int | float) and (word := _short(tag)):
                counts[word] = counts.get(word, 0) + count
    return sorted(counts, key=lambda tag: -counts[tag])[:MOST_TRIGGERS]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _short(text: str) -> str:
    """Return a text in one line without control characters, at most `LONGEST` characters of it."""
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", text[: 4 * LONGEST]).strip()[:LONGEST]


def _fits(path: Path, token_width: int) -> bool:
    try:
        check_lora(path, token_width)
    except RequestError:
        return False
    return True


def _of_sets(registry: Registry) -> Iterator[str]:
    """Yield the names of the LoRA files that the sets use by themselves: distilled, camera and control ones."""
    for each in registry.sets.values():
        yield from (lora.file for lora in (*each.camera.values(), *each.control.values()))
        yield from (item.file for item in model_inputs(each.loaders.nodes) if FOLDER in item.folders)
