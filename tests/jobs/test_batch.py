"""A file of requests is handed in whole, or the wrong line is named."""

import json
from pathlib import Path

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.jobs.batch import read_batch, sweep
from ltx_studio.modes import MAX_SEED
from ltx_studio.pocket import files
from tests.support import small_spec


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_a_sweep_takes_seeds_one_after_another() -> None:
    assert [spec.seed for spec in sweep(small_spec(seed=5), 3)] == [5, 6, 7]
    assert [spec.seed for spec in sweep(small_spec(seed=MAX_SEED), 2)] == [MAX_SEED, 0]


def test_json_lines_and_a_table_say_the_same(tmp_path: Path, samples: dict[str, Path]) -> None:
    picture = samples["image"]
    lines = [
        {"prompt": "a ball, red", "seed": 1, "mode": "t2v"},
        {"prompt": "night", "seed": 2, "image": str(picture), "mode": "i2v", "preset": "draft", "seconds": 1.5},
    ]
    table = f'mode,prompt,seed,image,preset,seconds\nt2v,"a ball, red",1,,,\n\ni2v,night,2,{picture},draft,1.5\n'

    one = read_batch(write(tmp_path, "a.jsonl", "\n".join(map(json.dumps, lines)) + "\n\n"), "pocket")
    other = read_batch(write(tmp_path, "a.csv", "\ufeff" + table), "pocket")

    assert one == other
    assert [(spec.mode, spec.preset, spec.seed) for spec in one] == [("t2v", "fast", 1), ("i2v", "draft", 2)]


def test_paths_are_meant_from_the_files_folder(tmp_path: Path, samples: dict[str, Path]) -> None:
    (tmp_path / "p.png").write_bytes(samples["image"].read_bytes())

    (spec,) = read_batch(write(tmp_path, "a.csv", "prompt,image\nx,p.png\n"), "pocket", "i2v")

    assert spec.files() == {"image": tmp_path / "p.png"}


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("prompt,image\nx,p.png\n", "p.png"),
        ("prompt,image\nx,../p.png\n", "../p.png"),
        ("prompt,image,loras\nx,{picture},mine.safetensors:0.5\n", "mine.safetensors"),
    ],
)
def test_a_file_that_was_uploaded_has_no_folder_to_look_in(
    table: str, named: str, tmp_path: Path, samples: dict[str, Path]
) -> None:
    uploaded = write(tmp_path, "a.csv", table.format(picture=samples["image"]))

    with pytest.raises(RequestError, match=f"a.csv, line 2: it names '{named}'") as refused:
        read_batch(uploaded, "pocket", "i2v", uploaded=True)

    assert str(tmp_path) not in refused.value.message
    assert "whole path" in refused.value.hint


def test_a_file_that_was_uploaded_may_name_whole_paths(tmp_path: Path, samples: dict[str, Path]) -> None:
    lora = files.SHIPPED / files.STYLE_LORA
    table = f"prompt,image,loras\nx,{samples['image']},{lora}\n"

    (spec,) = read_batch(write(tmp_path, "a.csv", table), "pocket", "i2v", uploaded=True)

    assert spec.files() == {"image": samples["image"], "loras.0": lora}


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.jsonl", '{"prompt": "a"}\n{"prompt": }\n', 2),
        ("a.jsonl", '{"prompt": "a"}\n\n[1]\n', 3),
        ("a.jsonl", '{"prompt": " "}\n', 1),
        ("a.jsonl", '{"prompt": "a", "secnds": 3}\n', 1),
        ("a.jsonl", '{"prompt": "a", "seconds": 300}\n', 1),
        ("a.jsonl", '{"prompt": "a", "mode": "t3v"}\n', 1),
        ("a.jsonl", '{"prompt": "a", "loras": [3]}\n', 1),
        ("a.csv", "prompt\na\n\nb,c\n", 4),
        ("a.csv", "prompt,prompt\na,b\n", 1),
        ("a.csv", 'prompt\n"a\n', 2),
        ("a.csv", "prompt,loras\na,mine.safetensors:loud\n", 2),
        ("a.csv", "prompt,seconds\na,long\n", 2),
    ],
)
def test_a_wrong_line_is_named(name: str, text: str, line: int, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=f"{name}, line {line}: ") as refused:
        read_batch(write(tmp_path, name, text), "pocket", "t2v")

    assert refused.value.hint


@pytest.mark.parametrize("text", ["", "\n\n", "prompt\n", "prompt\na\0b\n"])
def test_a_file_without_requests_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError):
        read_batch(write(tmp_path, "a.csv", text), "pocket", "t2v")


def test_a_request_without_a_mode_says_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="names no mode"):
        read_batch(write(tmp_path, "a.jsonl", '{"prompt": "a"}'), "pocket")


def test_a_table_says_loras_in_one_text(tmp_path: Path) -> None:
    lora = files.SHIPPED / files.STYLE_LORA
    (tmp_path / "a.safetensors").write_bytes(lora.read_bytes())
    table = f"prompt,loras\nx,a.safetensors:0.5; {lora}\n"

    (spec,) = read_batch(write(tmp_path, "a.csv", table), "pocket", "t2v")

    assert [(each.file, each.strength) for each in spec.params.loras] == [(tmp_path / "a.safetensors", 0.5), (lora, 1)]
