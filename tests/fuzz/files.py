"""Targets 5 to 8: model files, media, tables and model sets."""

import json
from functools import partial
from pathlib import Path
from random import Random

from hypothesis import strategies as st

from ltx_studio.families.ltx_2_3 import PRESETS
from ltx_studio.media import check_lora, probe_clip, probe_picture, probe_sound
from ltx_studio.models.registry import load_registry
from ltx_studio.modes import MODES
from ltx_studio.queue.batch import read_batch
from ltx_studio.safetensors_header import flaw
from tests.fuzz import media_files
from tests.fuzz.case import Case
from tests.fuzz.ground import LORA, Ground
from tests.fuzz.measure import Attempts
from tests.fuzz.values import ANYTHING, LEAVES, Json, as_text, mostly, mutate_bytes, mutate_json
from tests.support import REGISTRY


def read_lora(path: Path, ground: Ground, attempts: Attempts) -> None:
    """Read the header of a model file."""
    attempts(lambda: check_lora(path, 4096))
    attempts(lambda: flaw(path))


def weights(header: Json, body: bytes = b"\0" * 64) -> Case:
    """Return a safetensors file with that header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return Case(".safetensors", len(text).to_bytes(8, "little") + text + body)


def mutate_lora(ground: Ground, random: Random) -> Case:
    data = (ground.samples / LORA).read_bytes()
    length = int.from_bytes(data[:8], "little")
    if random.random() < 0.3:
        return Case(random.choice((".safetensors", ".safetensors", ".ckpt")), mutate_bytes(data[:20_000], random))
    header = json.loads(data[8 : 8 + length])
    kept = dict(random.sample(sorted(header.items()), min(6, len(header))))
    return weights(as_text(mutate_json(kept, random), random))


def lora_strategy(ground: Ground) -> "st.SearchStrategy[Case]":
    names = st.sampled_from(
        ("diffusion_model.transformer_blocks.0.attn1.to_q.lora_A.weight", "__metadata__", "x", "lora", "")
    )
    entry = st.fixed_dictionaries(
        {},
        optional={
            "dtype": LEAVES,
            "shape": mostly(st.lists(LEAVES, max_size=3)),
            "data_offsets": mostly(st.lists(LEAVES, max_size=3)),
        },
    )
    header = st.one_of(st.dictionaries(names, mostly(entry, ANYTHING), max_size=4), ANYTHING, st.binary(max_size=60))
    return header.map(weights)


def read_media(path: Path, ground: Ground, attempts: Attempts) -> None:
    """Look at a file as each kind that it could be."""
    for probe in (probe_picture, probe_sound, probe_clip):
        attempts(partial(probe, path))


def mutate_media(ground: Ground, random: Random) -> Case:
    return Case(*media_files.mutated(ground.media, random))


def media_strategy(ground: Ground) -> "st.SearchStrategy[Case]":
    sides = st.sampled_from((0, 1, 32, 5000, 13_300, 16_000, 65_535, 2**31 - 1, 2**32 - 1)) | st.integers(1, 400)
    small = ground.media
    claimed = st.tuples(st.sampled_from(sorted(small)), sides, sides).map(
        lambda each: Case(
            f".{each[0].rpartition('.')[2]}", media_files.claim(each[0], small[each[0]], each[1], each[2])
        )
    )
    word, half = st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1)
    sound = st.builds(
        media_files.wav,
        mostly(st.sampled_from((1, 8000, 48_000)), word),
        mostly(st.integers(0, 9), half),
        half,
        st.integers(0, 50_000),
        code=half,
        said=st.none() | word,
    )
    noise = st.tuples(st.sampled_from(sorted(small)), st.binary(max_size=300)).map(
        lambda each: Case(f".{each[0].rpartition('.')[2]}", small[each[0]][:40] + each[1])
    )
    return st.one_of(claimed, sound.map(lambda data: Case(".wav", data)), noise)


def read_table(path: Path, ground: Ground, attempts: Attempts) -> None:
    """Read a file of requests, as at home and as from an upload."""
    attempts(lambda: read_batch(path, "pocket", "t2v", registry=REGISTRY))
    attempts(lambda: read_batch(path, "pocket", "t2v", with_files=False, uploaded=True, registry=REGISTRY))


def read_models(path: Path, ground: Ground, attempts: Attempts) -> None:
    """Read a user's model sets, and look at what each could do."""
    registry = attempts(lambda: load_registry(path))
    if registry is None:
        return
    for model_set in registry.sets.values():
        for mode in MODES.values():
            for preset in PRESETS.values():
                attempts(partial(mode.is_possible, model_set, preset, everything=True))
        attempts(partial(registry.needs, model_set.loaders.nodes))
