"""Hostile tables of requests, and hostile `models.toml` files."""

import csv
import io
import json
import math
from random import Random
from typing import Any

from hypothesis import strategies as st

from ltx_studio.modes import MODES
from tests.fuzz.ground import LORA
from tests.fuzz.values import ANYTHING, LEAVES, WORDS, Json, as_text, hostile, mostly, mutate_bytes, mutate_json, storm

FIELDS = sorted({name for mode in MODES.values() for name in mode.params.model_fields})
COLUMNS = ("mode", "preset", "model_set", *FIELDS)

ROWS: tuple[dict[str, Json], ...] = (
    {"mode": "t2v", "prompt": "a ball", "seconds": 0.7, "width": 128, "height": 128, "seed": 7},
    {"mode": "i2v", "prompt": "a ball", "image": "image.png", "preset": "draft"},
    {"mode": "a2v", "prompt": "a ball", "audio": "speech.wav"},
    {"mode": "t2v", "prompt": "a ball", "loras": f"{LORA}:0.8; {LORA}"},
    {"mode": "t2v", "prompt": "a ball", "loras": [{"file": LORA, "strength": 0.5}]},
)

SETS_FILE = """
[files."loras/mine.safetensors"]
repo = "me/mine"
bytes = 1000
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
licence = "mit"

[files."checkpoints/mine.safetensors"]
about = 40000000000

[sets.mine]
based_on = "pocket"
label = "Mine"
width = 256
height = 192
guidance_blocks = [1]
negative_guidance = 3.0
camera = {static = "mine.safetensors"}

[sets.other]
based_on = "mine"
distilled_strength = 0.25
control = {union = "mine.safetensors"}

[sets.third]
label = "Third"
width = 768
height = 512
token_width = 4096
checkpoint = "mine.safetensors"
text_encoder = "mine.safetensors"
upscaler = "mine.safetensors"
"""


def _csv(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list({name: None for row in rows for name in row}))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


def mutated(random: Random) -> tuple[str, bytes]:
    """Return a table with changes, and its suffix."""
    rows = [json.loads(json.dumps(random.choice(ROWS))) for _ in range(random.choice((1, 2, 3, 40)))]
    for _ in range(random.randint(0, 3)):
        row = random.choice(rows)
        row[random.choice((*COLUMNS, *WORDS))] = hostile(random)
    if random.random() < 0.5:
        data = b"\n".join(as_text(mutate_json(row, random) if random.random() < 0.2 else row, random) for row in rows)
        return ".jsonl", mutate_bytes(data, random) if random.random() < 0.4 else data
    try:
        data = _csv(rows)
    except (csv.Error, ValueError):
        data = b"prompt\na\n"
    kind = random.random()
    if kind < 0.1:
        line = random.choice((b"\n", b"a,b\n", b'"', b",", b"a\r", b'"a', b"x\n"))
        data += line * random.choice((100, 5000, 100_000))
    elif kind < 0.2:
        data = storm(random).encode("utf-8", "replace") + data
    elif kind < 0.6:
        data = mutate_bytes(data, random)
    return ".csv", data


_CELL = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=20),
    st.sampled_from(("1", "0.5", "1e999", "image.png", f"{LORA}:1;", ":", "a:b;c:d")),
)
_ROW = st.dictionaries(mostly(st.sampled_from(COLUMNS), st.text(max_size=8)), _CELL, max_size=6)
_OBJECT = st.dictionaries(mostly(st.sampled_from(COLUMNS), st.text(max_size=8)), LEAVES | ANYTHING, max_size=5).map(
    lambda odd: ROWS[0] | odd
)
STRATEGY: "st.SearchStrategy[tuple[str, bytes]]" = st.one_of(
    st.lists(_ROW, min_size=1, max_size=4).map(lambda rows: (".csv", _csv([ROWS[0] | row for row in rows]))),
    st.lists(mostly(_OBJECT, ANYTHING), min_size=1, max_size=4).map(
        lambda rows: (".jsonl", b"\n".join(map(as_text, rows)))
    ),
    st.tuples(st.sampled_from((".csv", ".jsonl", ".CSV")), st.binary(max_size=200)),
    st.text(st.sampled_from("a,\"'\n\r\t ;\ufeff\u2028"), max_size=60).map(
        lambda text: (".csv", f"prompt,mode\n{text}".encode())
    ),
)


def toml_value(value: Json) -> str:
    """Write a value as TOML, or as what comes near."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "nan" if math.isnan(value) else str(value)
    if isinstance(value, int):
        return hex(value) if abs(value) > 10**50 else str(value)
    if isinstance(value, list):
        return f"[{', '.join([toml_value(each) for each in value])}]"
    if isinstance(value, dict):
        return f"{{{', '.join([f'{json.dumps(str(key))} = {toml_value(each)}' for key, each in value.items()])}}}"
    return json.dumps(str(value), ensure_ascii=False)


_SET_KEYS = (
    "based_on",
    "label",
    "notice",
    "width",
    "height",
    "token_width",
    "guidance_blocks",
    "negative_guidance",
    "checkpoint",
    "transformer",
    "text_projection",
    "video_vae",
    "audio_vae",
    "text_encoder",
    "text_encoder_loader",
    "distilled_lora",
    "distilled_strength",
    "upscaler",
    "preview",
    "control_models",
    "camera",
    "control",
    "x",
)
_FILE_KEYS = ("repo", "path", "bytes", "about", "sha256", "licence", "gated", "use", "caution", "built", "x")


def mutated_sets(random: Random) -> tuple[str, bytes]:
    """Return a changed `models.toml`."""
    lines = SETS_FILE.splitlines()
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(lines))
        name = random.choice((*_SET_KEYS, *_FILE_KEYS))
        kind = random.random()
        if kind < 0.6:
            lines[at] = f"{name} = {toml_value(hostile(random))}"
        elif kind < 0.7:
            lines.insert(
                at, f"[{random.choice(('files', 'sets', 'x'))}.{json.dumps(random.choice(WORDS), ensure_ascii=False)}]"
            )
        elif kind < 0.8:
            del lines[at]
        elif kind < 0.9:
            lines.insert(at, random.choice(lines))
        else:
            lines.insert(
                at,
                random.choice(
                    ("[" * 500, "a." * 3000 + "b = 1", "[[sets]]", "x = " + "[" * 2000, "1979-05-27 = 1", '"""' + "a")
                ),
            )
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    return ".toml", mutate_bytes(data, random) if random.random() < 0.3 else data


_VALUES = (
    LEAVES
    | ANYTHING
    | st.sampled_from(("pocket", "fp8", "mine", "a.safetensors", "../x.safetensors", "a/b.safetensors", "x.ckpt"))
)


def _table(head: str, odd: dict[str, Json]) -> str:
    return "\n".join([head, *(f"{name} = {toml_value(value)}" for name, value in odd.items())])


SETS: "st.SearchStrategy[tuple[str, bytes]]" = st.tuples(
    st.dictionaries(st.sampled_from(_SET_KEYS), _VALUES, max_size=3),
    st.dictionaries(st.sampled_from(_FILE_KEYS), _VALUES, max_size=3),
    mostly(st.just("loras/mine.safetensors"), st.sampled_from(WORDS)),
    st.booleans(),
).map(
    lambda each: (
        ".toml",
        "\n".join(
            (
                _table("[sets.mine]", ({"based_on": "pocket"} if each[3] else {}) | each[0]),
                _table(f"[files.{json.dumps(each[2], ensure_ascii=False)}]", each[1]),
            )
        ).encode("utf-8", "surrogatepass"),
    )
)
