"""Inputs that once broke the studio: small ones lie in ``corpus/TARGET``, large ones are built here."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.fuzz import graphs, media_files
from tests.fuzz.case import Case
from tests.fuzz.files import weights
from tests.fuzz.ground import Ground
from tests.fuzz.requests import with_tag
from tests.fuzz.values import Json, nested

FOLDER = Path(__file__).resolve().parent / "corpus"
Build = Callable[[Ground], Case]


def cases(target: str) -> dict[str, Build]:
    """Return name → case: the stored files of a target, then those that are built."""
    stored = sorted((FOLDER / target).glob("*.*"))
    read: dict[str, Build] = {path.name: lambda _, path=path: _stored(path) for path in stored}  # type: ignore[misc]
    return read | dict(_BUILT[target]() if target in _BUILT else {})


def _stored(path: Path) -> Case:
    return Case(path.suffix, path.read_bytes())


def _json(document: Json) -> Build:
    return lambda _: Case(".json", json.dumps(document).encode())


def _text(value: str) -> Build:
    return _json(graphs.text(value))


def _own(graph: Json, values: Json = None) -> Build:
    return _json({"graph": graph, "values": values or {}})


def _take_with(name: str, value: bytes) -> Build:
    return lambda ground: Case(".mp4", with_tag(ground, name, value))


def _lora(shape: str = "[8, 128]", offsets: str = "[0, 64]", more: str = "") -> Build:
    name = "diffusion_model.transformer_blocks.0.attn1.to_q.lora_A.weight"
    entry = f'{{"dtype": "F32", "shape": {shape}, "data_offsets": {offsets}}}'
    return lambda _: weights(f'{{"{name}": {entry}{more}}}'.encode())


def _file(suffix: str, build: Callable[[], bytes]) -> Build:
    return lambda _: Case(suffix, build())


def _changed_request(**values: Json) -> Build:
    return lambda ground: Case(
        ".json",
        json.dumps(
            {"mode": "t2v", "values": ground.requests["t2v"] | values, "model_set": "pocket", "preset": "fast"}
        ).encode(),
    )


def _changed_recipe(mode: str = "t2v", inputs: Json = None, **params: Json) -> Build:
    def build(ground: Ground) -> Case:
        recipe = ground.recipe(mode) | ({} if inputs is None else {"inputs": inputs})
        return Case(".json", json.dumps(recipe | {"params": recipe["params"] | params}).encode())

    return build


_LONG = 100_000
_BUILT: Mapping[str, Callable[[], Mapping[str, Build]]] = {
    "request": lambda: {
        "many_loras": _changed_request(loras=[{"file": "style.safetensors"}] * 10_000),
        "deep_loras": _changed_request(loras=nested(300)),
        "long_prompt": _changed_request(prompt="a" * 3_000_000),
        "huge_number": _changed_request(width=10**4000, seed=10**4000),
    },
    "editor": lambda: {
        "ten_by_ten_six_deep": _json(graphs.expansion(10, 6)),
        "two_by_two_22_deep": _json(graphs.expansion(2, 22)),
        "one_by_one_500_deep": _json(graphs.expansion(1, 500)),
        "holds_itself": _json(graphs.ring(1)),
        "hold_each_other": _json(graphs.ring(3)),
        "open_comments": _text("/*a" * 30_000),
        "slashes": _text("/" * _LONG),
        "braces_300_deep": _text("{" * 300 + "a" * 300_000 + "}" * 300),
        "open_braces": _text("{" * _LONG),
        "choices": _text("{a|" * 30_000),
        "nodes": _json(graphs.many(100_000)),
        "notes": _json(graphs.many(100_000, "Note")),
        "reroutes": _json(graphs.passed_on(5000, "Reroute")),
        "reroutes_in_a_circle": _json(graphs.passed_on(900, "Reroute", closed=True)),
        "promoted_widgets": _json(graphs.promoted(8, 20)),
        "deep_value": lambda _: Case(".json", b'{"nodes":' + b"[" * _LONG + b"]" * _LONG + b"}"),
    },
    "graph": lambda: {
        "nodes_20_000": _own(graphs.api_many(20_000)),
        "chain_20_000": _own(graphs.api_chain(20_000)),
        "circle_20_000": _own(graphs.api_chain(20_000, closed=True)),
        "fan": _own(graphs.api_fan(300, 50)),
        "long_id": _own({"a" * 1_000_000: graphs.api_node(graphs.SEED_NODE, noise_seed=1)}),
    },
    "tags": lambda: {
        "not_utf8": _take_with("ltx_studio", b'{"recipe": 1, "mode": "\xff\xfe\x80"}'),
        "workflow_not_utf8": _take_with("workflow", b'{"nodes": "\xe9"}'),
        "large": _take_with("ltx_studio", b'{"mode": "' + b"a" * 50_000_000 + b'"}'),
        "deep": _take_with("prompt", b"[" * 10_000 + b"]" * 10_000),
        "expansion": _take_with("workflow", json.dumps(graphs.expansion(10, 6)).encode()),
    },
    "lora": lambda: {
        "infinite_shape": _lora(shape="[1e999]"),
        "offset_of_4300_digits": _lora(offsets=f"[0, {'9' * 4300}]"),
        "infinite_offset": _lora(offsets="[0, 1e999]"),
        "large_header": _lora(more=', "a": [' + "[]," * 33_000_000 + "0]"),
        "many_tensors": _lora(
            more="".join(f', "lora{index}": {{"data_offsets": [0, 0]}}' for index in range(1_500_000))
        ),
    },
    "media": lambda: {
        "png_13300": _file(".png", lambda: media_files.png(13_300, 13_300, colour=6)),
        "png_30000_claimed": _file(".png", lambda: media_files.png(30_000, 30_000, filled=False)),
        "mov_16000": _file(".mov", lambda: media_files.mov_of_pngs(16_000)),
        "mov_8000": _file(".mov", lambda: media_files.mov_of_pngs(8000)),
        "wav_1_hz": _file(".wav", lambda: media_files.wav(1, size=3_000_000)),
        "wav_64_channels": _file(".wav", lambda: media_files.wav(48_000, 64, 16, size=1_000_000)),
        "eps_called_png": _file(".png", lambda: media_files.DISGUISES[3][1]),
        "icc_bomb": _file(".png", lambda: media_files.png(64, 64, extra=_text_chunk(b"iCCP"))),
        "text_bomb": _file(".png", lambda: media_files.png(64, 64, extra=_text_chunk(b"zTXt") * 20)),
    },
    "table": lambda: {
        "rows_5_million": _file(".csv", lambda: b"prompt\n" + b"a\n" * 4_500_000),
        "empty_rows": _file(".csv", lambda: b"prompt\n" + b"\n" * 9_000_000),
        "empty_lines": _file(".jsonl", lambda: b"\n" * 9_000_000),
        "columns": _file(".csv", lambda: ",".join(map(str, range(100_000))).encode() + b"\na"),
        "one_cell": _file(".csv", lambda: b"prompt\n" + b"a" * 9_000_000),
        "one_row": _file(".csv", lambda: b"prompt\n" + b"a," * 4_500_000),
        "deep": _file(".jsonl", lambda: b'{"prompt":' + b"[" * _LONG),
        "loras": _file(".csv", lambda: b"prompt,loras\na," + b"style.safetensors:1;" * 200_000),
        "more_than_1000": _file(".jsonl", lambda: b'{"prompt": "a", "mode": "t2v"}\n' * 100_000),
    },
    "models": lambda: {
        "deep": _file(".toml", lambda: b"x = " + b"[" * _LONG),
        "dotted": _file(".toml", lambda: b"a." * _LONG + b"b = 1"),
        "based_on_each_other": _file(
            ".toml",
            lambda: "".join(f'[sets.s{index}]\nbased_on = "s{index + 1}"\n' for index in range(3000)).encode(),
        ),
        "many_files": _file(
            ".toml",
            lambda: "".join(f'[files."loras/{index}.safetensors"]\nabout = 1\n' for index in range(20_000)).encode(),
        ),
        "long_folder": _file(".toml", f'[files."{"checkpoint" * 20_000}/a.safetensors"]\n'.encode),
        "long_field": _file(".toml", f"[sets.mine]\n{'width' * 20_000} = 1\n".encode),
    },
    "recipe": lambda: {
        "open_comments": _changed_recipe(prompt="/*a" * 3000),
        "long_file_name": _changed_recipe(mode="i2v", inputs={"image": "a" * 30_000}, image="a" * 30_000),
        "huge_seed": _changed_recipe(seed=10**4000),
        "infinite_seconds": _changed_recipe(seconds=float("inf")),
        "text_seconds": _changed_recipe(seconds="1e999", fps="NaN"),
    },
    "form": lambda: {
        "seeds": _json(graphs.api_many(3000)),
        "long_text": _json({"1": graphs.api_node(graphs.TEXT_NODE, "T", text="a" * 3_000_000)}),
        "long_title": _json({"1": graphs.api_node(graphs.SEED_NODE, "T" * 3_000_000, noise_seed=1)}),
        **{
            f"{kind}_for_a_number": _json({"1": graphs.api_node(graphs.SEED_NODE, "T", noise_seed=value)})
            for kind, value in {
                "list": [1, 2, 3],
                "object": {"a": 1},
                "text": "\ud800",
                "huge": 10**400,
                "none": None,
            }.items()
        },
    },
}


def _text_chunk(kind: bytes) -> bytes:
    return media_files.chunk(kind, b"a\0\0" + media_files.zeros(60_000_000))
