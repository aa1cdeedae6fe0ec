"""A file of requests is submitted whole, or the wrong line is named."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ltx_studio import limits, sandbox
from ltx_studio.errors import RequestError
from ltx_studio.modes import MAX_SEED
from ltx_studio.pocket import files
from ltx_studio.queue import tables
from ltx_studio.queue.batch import read_batch, sweep
from tests.support import REGISTRY, small_spec


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

    one = read_batch(
        write(tmp_path, "a.jsonl", "\n".join(map(json.dumps, lines)) + "\n\n"), "pocket", registry=REGISTRY
    )
    other = read_batch(write(tmp_path, "a.csv", "\ufeff" + table), "pocket", registry=REGISTRY)

    assert one == other
    assert [(spec.mode, spec.preset, spec.seed) for spec in one] == [("t2v", "fast", 1), ("i2v", "draft", 2)]


def test_paths_are_meant_from_the_files_folder(tmp_path: Path, samples: dict[str, Path]) -> None:
    (tmp_path / "p.png").write_bytes(samples["image"].read_bytes())

    (spec,) = read_batch(write(tmp_path, "a.csv", "prompt,image\nx,p.png\n"), "pocket", "i2v", registry=REGISTRY)

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
        read_batch(uploaded, "pocket", "i2v", uploaded=True, registry=REGISTRY)

    assert str(tmp_path) not in refused.value.message
    assert "absolute path" in refused.value.hint


def test_a_file_that_was_uploaded_may_name_whole_paths(tmp_path: Path, samples: dict[str, Path]) -> None:
    lora = files.SHIPPED / files.STYLE_LORA
    table = f"prompt,image,loras\nx,{samples['image']},{lora}\n"

    (spec,) = read_batch(write(tmp_path, "a.csv", table), "pocket", "i2v", uploaded=True, registry=REGISTRY)

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
        read_batch(write(tmp_path, name, text), "pocket", "t2v", registry=REGISTRY)

    assert refused.value.hint


@pytest.mark.parametrize(
    ("request_", "said", "hint"),
    [
        ({"prompt": 5}, "prompt is not text (given: 5).", "Use text of at most 10000 characters."),
        ({"seed": 1.5}, "seed is not a whole number (given: 1.5).", "Use a value from 0 to 9007199254740991."),
        ({"seconds": "long"}, "seconds is not a number (given: 'long').", "Use a value from 0.3 to 20."),
        (
            {"loras": [{"file": "a.safetensors", "strength": "x"}]},
            "LoRA 1: strength is not a number (given: 'x').",
            "Use a value from -4 to 4.",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_said_in_our_words(
    request_: dict[str, object], said: str, hint: str, tmp_path: Path
) -> None:
    table = write(tmp_path, "a.jsonl", json.dumps({"prompt": "a ball", **request_}))

    with pytest.raises(RequestError) as refused:
        read_batch(table, "pocket", "t2v", registry=REGISTRY)

    assert (refused.value.message, refused.value.hint) == (f"a.jsonl, line 1: {said}", hint)


@pytest.mark.parametrize("text", ["", "\n\n", "prompt\n", "prompt\na\0b\n"])
def test_a_file_without_requests_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError):
        read_batch(write(tmp_path, "a.csv", text), "pocket", "t2v", registry=REGISTRY)


def test_a_request_without_a_mode_says_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="has no mode"):
        read_batch(write(tmp_path, "a.jsonl", '{"prompt": "a"}'), "pocket", registry=REGISTRY)


def test_a_table_says_loras_in_one_text(tmp_path: Path) -> None:
    lora = files.SHIPPED / files.STYLE_LORA
    (tmp_path / "a.safetensors").write_bytes(lora.read_bytes())
    table = f"prompt,loras\nx,a.safetensors:0.5; {lora}\n"

    (spec,) = read_batch(write(tmp_path, "a.csv", table), "pocket", "t2v", registry=REGISTRY)

    assert [(each.file, each.strength) for each in spec.params.loras] == [(tmp_path / "a.safetensors", 0.5), (lora, 1)]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "prompt\n" + "a\n" * 5_000, "has more than 1,000 requests"),
        ("a.jsonl", '{"prompt": "a"}\n' * 5_000, "has more than 1,000 requests"),
        ("a.csv", "prompt\n" + "\n" * 1_000_000, "has more than 100,000 lines"),
        ("a.jsonl", "\n" * 1_000_000, "more than 100,000 lines"),
        ("a.csv", "prompt,seed\n" + ",\n" * 1_000_000, "more than 100,000 lines"),
        ("a.csv", ",".join(f"c{i}" for i in range(201)) + "\na\n", "201 columns; the limit is 200"),
        ("a.csv", "," * 1_000_000, "1,000,001 columns"),
        ("a.jsonl", json.dumps({f"c{i}": i for i in range(201)}), "line 1 has 201 columns"),
        ("a.csv", f"prompt\n{'a' * 100_001}\n", "field larger than field limit"),
        ("a.jsonl", json.dumps({"prompt": "a" * 100_001}), "100,001 characters"),
        ("a.jsonl", '{"prompt": ' + "[" * 40 + "]" * 40 + "}", "levels of lists"),
        ("a.jsonl", '{"prompt": ' + "[" * 100_000, "not valid JSON"),
        ("a.jsonl", '{"prompt": "\\ud800"}', "line 1: .*lone surrogate"),
        (
            "a.jsonl",
            '{"prompt": "a", "seconds": 1e999}',
            r"a\.jsonl, line 1: value 'seconds' is inf, which is not a finite number",
        ),
        ("a.jsonl", '{"prompt": "a", "seed": ' + "9" * 5_000 + "}", "not valid JSON"),
        ("a.csv", " " * (limits.TABLE_FILE.most + 1), "more than 16.* MB"),
        ("a.jsonl", " " * (limits.TABLE_FILE.most + 1), "more than 16.* MB"),
    ],
    ids=range(17),
)
def test_a_table_that_is_too_large_is_refused_before_it_is_read(
    name: str, text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is made of any line, and no line after the first that is too much is parsed."""
    parsed = 0
    loads = json.loads

    def counted(line: str) -> object:
        nonlocal parsed
        parsed += 1
        return loads(line)

    monkeypatch.setattr(sandbox, "_pool", None)  # it counts in this process
    monkeypatch.setattr("ltx_studio.queue.tables.json.loads", counted)
    monkeypatch.setattr("ltx_studio.queue.batch._spec", lambda *_, **__: pytest.fail("a request was made of it"))

    with pytest.raises(RequestError, match=said) as refused:
        read_batch(write(tmp_path, name, text), "pocket", "t2v", registry=REGISTRY)

    assert parsed <= limits.TABLE_ROWS.most + 1
    assert len(refused.value.message) < 2_000
    assert refused.value.message.encode()


def test_a_table_stops_to_be_read_at_the_first_request_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0
    lines_of = tables._lines

    def counted(text: str, path: Path) -> Iterator[str]:
        nonlocal read
        for line in lines_of(text, path):
            read += 1
            yield line

    monkeypatch.setattr(sandbox, "_pool", None)
    monkeypatch.setattr(tables, "_lines", counted)
    with pytest.raises(RequestError, match="more than 1,000 requests"):
        read_batch(write(tmp_path, "a.csv", "prompt\n" + "a\n" * 50_000), "pocket", "t2v", registry=REGISTRY)

    assert read == limits.TABLE_ROWS.most + 2  # with the names in the first line


def test_a_table_is_parsed_in_a_process_that_can_be_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = sandbox._Pool()
    monkeypatch.setattr(sandbox, "_pool", pool)
    monkeypatch.setattr(tables, "_table", lambda *_: pytest.fail("it was parsed here"))
    try:
        (spec,) = read_batch(write(tmp_path, "a.csv", "prompt\na ball\n"), "pocket", "t2v", registry=REGISTRY)
        with pytest.raises(RequestError, match=r"a\.csv, line 3: it has 2 fields for 1 columns"):
            read_batch(write(tmp_path, "a.csv", "prompt\na\nb,c\n"), "pocket", "t2v", registry=REGISTRY)
    finally:
        pool.close()

    assert spec.params.prompt == "a ball"


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("a.csv", "prompt,mode\na ball,i2v\n", "Add a column `image` with its path."),
        ("a.txt", "a ball\n", "Add a column `image` with its path. A .txt file has no columns: save it as .csv."),
    ],
)
def test_a_row_that_lacks_a_file_names_the_column(tmp_path: Path, name: str, text: str, hint: str) -> None:
    (tmp_path / name).write_text(text)

    with pytest.raises(RequestError, match="picture is missing") as refused:
        read_batch(tmp_path / name, "pocket", "i2v", registry=REGISTRY)
    assert refused.value.hint == hint
    assert refused.value.advice is None
