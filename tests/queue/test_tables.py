"""Tables are read as spreadsheets, editors and scripts save them: with any delimiter, encoding and titles."""

import codecs
import json
from pathlib import Path

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.pocket import files
from ltx_studio.queue.batch import read_batch
from ltx_studio.queue.tables import read_rows
from tests.support import REGISTRY

GERMAN = "Prompt;Seconds;Seed;Negative Prompt\nein Ball, rot;1,5;7;Rauschen\n"


def write(folder: Path, name: str, data: str | bytes) -> Path:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return folder / name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", 'prompt,seed\n"a ball, red",7\n'),
        ("a.csv", "prompt;seed\na ball, red;7\n"),
        ("a.csv", "prompt\tseed\na ball, red\t7\n"),
        ("a.tsv", "prompt\tseed\na ball, red\t7\n"),
        ("a.tab", "prompt\tseed\r\na ball, red\t7\r\n"),
        ("a.tsv", "prompt\n\na ball, red\n"),
        ("a.csv", "prompt|seed\na ball, red|7\n"),
        ("a.csv", "sep=;\r\nprompt;seed\r\na ball, red;7\r\n"),
        ("a.csv", '"sep=|"\nprompt|seed\na ball, red|7\n'),
        ("a.csv", "PROMPT;Seed\na ball, red;7\n"),
        ("a.csv", ' "Prompt" ; "Seed" \n"a ball, red";  7 \n'),
        ("a.CSV", 'Seed,Prompt\r7,"a ball, red"\r'),
        ("a.csv", '\n\nprompt,seed\n\n"a ball, red",7\n'),
        ("a.csv", "prompt;seed;;\na ball, red;7;;\n;;;\n"),
        ("a.jsonl", '{"prompt": "a ball, red", "seed": 7}'),
        ("a.ndjson", '{"prompt": "a ball, red", "seed": 7}\r\n'),
        ("a.txt", '\n{"prompt": "a ball, red", "seed": 7}\n'),
        ("a.txt", "prompt\tseed\r\na ball, red\t7\r\n"),
        ("a.txt", "Seed\tPrompt\tNegative Prompt\r\n7\ta ball, red\t\r\n"),
        ("a.txt", "prompt;seed\na ball, red;7\n"),
        ("a.txt", "sep=;\nprompt;seed\na ball, red;7\n"),
        ("a.txt", "Prompt\na ball, red\n"),
        ("a.requests", 'prompt,seed\n"a ball, red",7\n'),
    ],
)
@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
def test_every_dialect_and_encoding_says_the_same(name: str, text: str, encoding: str, tmp_path: Path) -> None:
    (spec,) = read_batch(write(tmp_path, name, text.encode(encoding)), "pocket", "t2v", registry=REGISTRY)

    assert spec.params.prompt == "a ball, red"
    assert spec.seed == 7 or "seed" not in text.casefold()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
def test_chinese_needs_no_byte_order_mark(name: str, encoding: str, tmp_path: Path) -> None:
    prompts = ["一个红球一上一下", "夜晚的一座城市，一切都很安静"]  # in UTF-16 one byte of 一 is zero too
    lines = prompts if name == "a.txt" else ["prompt", *(f'"{each}"' for each in prompts)]

    specs = read_batch(write(tmp_path, name, "\n".join(lines).encode(encoding)), "pocket", "t2v", registry=REGISTRY)

    assert [spec.prompt for spec in specs] == prompts


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_table_of_a_german_spreadsheet_is_read(mark: bytes, tmp_path: Path) -> None:
    encoding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"

    (spec,) = read_batch(write(tmp_path, "a.csv", mark + GERMAN.encode(encoding)), "pocket", "t2v", registry=REGISTRY)

    assert (spec.params.prompt, spec.params.seconds, spec.seed) == ("ein Ball, rot", 1.5, 7)
    assert spec.params.negative_prompt == "Rauschen"


def test_a_prompt_in_each_line_is_a_request_each(tmp_path: Path) -> None:
    text = 'a red ball, bouncing\n\n  a blue ball  \n{a|b} at night\n"quoted"\n'

    specs = read_batch(write(tmp_path, "a.txt", text), "pocket", "t2v", registry=REGISTRY)

    assert [spec.prompt for spec in specs] == ["a red ball, bouncing", "a blue ball", "{a|b} at night", '"quoted"']


@pytest.mark.parametrize("first", ["a prompt\tof two parts", "a seed, a prompt", "image", "prompt a man, seed a lawn"])
def test_prompts_are_not_taken_for_titles(first: str, tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path, "a.txt", f"{first}\na ball\n"))

    assert rows == [(1, {"prompt": first}), (2, {"prompt": "a ball"})]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('prompt,seed\n"a ball,1\n' + "b,2\n" * 20, 2, "opens a quote that is not closed up to line 22"),
        ('prompt,seed\na,1\n"b\nb", "c\nd,1\n', 4, "opens a quote that is not closed up to line 5"),
        ('prompt,seed\na,1\n"b ""big"" ball,1\n', 3, "opens a quote that is not closed"),
        ('prompt,seed\n"a ball,1\nb,2\n"c, d",3\n', 2, "opens a quote that is not closed up to line 4"),
        ('prompt,seed\na,1\n"a "big" ball",1\nb,2\n', 3, "expected after"),
        ('prompt\tseed\n"a ball\t1\n' + "b\t2\n" * 30_000, 2, "opens a quote that is not closed up to line"),
    ],
)
def test_a_wrong_quote_is_named_by_the_line_that_it_opens_in(text: str, line: int, said: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=f"a.csv, line {line}: .*{said}") as refused:
        read_rows(write(tmp_path, "a.csv", text))

    assert 'double each quote within quotes ("")' in refused.value.hint


def test_modes_and_presets_may_be_capitalised(tmp_path: Path) -> None:
    (spec,) = read_batch(write(tmp_path, "a.csv", "Mode,Prompt,Preset\nT2V,x,Draft\n"), "pocket", registry=REGISTRY)

    assert (spec.mode, spec.preset) == ("t2v", "draft")


@pytest.mark.parametrize(
    ("written", "seconds"), [("1,5", 1.5), ("1.5", 1.5), ("0,75", 0.75), (",5", 0.5), ("+2,25", 2.25), ("2", 2.0)]
)
def test_decimal_commas_are_decimals(written: str, seconds: float, tmp_path: Path) -> None:
    (spec,) = read_batch(
        write(tmp_path, "a.csv", f'prompt,seconds\nx,"{written}"\n'), "pocket", "t2v", registry=REGISTRY
    )

    assert spec.params.seconds == seconds


@pytest.mark.parametrize(("row", "said"), [('x,1,"1,000"', "seed"), ('x,"1,2,3",1', "seconds"), ("x,1;5,1", "seconds")])
def test_other_commas_in_numbers_are_refused(row: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=rf"(?i)a.csv, line 2: .*{said}"):
        read_batch(write(tmp_path, "a.csv", f"prompt,seconds,seed\n{row}\n"), "pocket", "t2v", registry=REGISTRY)


def test_a_whole_number_whose_digits_may_be_grouped_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"line 2: .*could mean 1 or 1000"):
        read_batch(write(tmp_path, "a.csv", "prompt;seed\nx;1.000\n"), "pocket", "t2v", registry=REGISTRY)

    (spec,) = read_batch(
        write(tmp_path, "a.csv", "prompt;seed;seconds\nx;7.0;1.000\n"), "pocket", "t2v", registry=REGISTRY
    )
    assert (spec.seed, spec.params.seconds) == (7, 1)


def test_strengths_of_loras_may_have_a_decimal_comma(tmp_path: Path) -> None:
    lora = files.SHIPPED / files.STYLE_LORA

    (spec,) = read_batch(write(tmp_path, "a.csv", f"prompt;loras\nx;{lora}:0,5\n"), "pocket", "t2v", registry=REGISTRY)

    assert spec.params.loras[0].strength == 0.5


def test_a_table_of_windows_names_its_pictures(tmp_path: Path, samples: dict[str, Path]) -> None:
    (tmp_path / "Pictures").mkdir()
    (tmp_path / "Pictures" / "a b.png").write_bytes(samples["image"].read_bytes())

    (spec,) = read_batch(
        write(tmp_path, "a.csv", "prompt,image\nx,Pictures\\a b.png\n"), "pocket", "i2v", registry=REGISTRY
    )

    assert spec.files() == {"image": tmp_path / "Pictures" / "a b.png"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "a red ball\na blue ball\n"),
        ("a.csv", "a red ball, bouncing\na blue ball\n"),
        ("a.tsv", "a red ball\t7\n"),
        ("a.csv", "7;a red ball\n"),
    ],
)
def test_a_table_without_titles_says_what_to_write(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=f"{name}, line 1: it has no known column") as refused:
        read_batch(write(tmp_path, name, text), "pocket", "t2v", registry=REGISTRY)

    assert "prompt,seed" in refused.value.hint
    assert ".txt" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('prompt,seconds\n"a\nball",1\n"b\nball",long\n', 4),
        ("sep=;\nprompt;seconds\na;1\nb;long\n", 4),
        ("\n\nprompt,seconds\na,1\n\nb,long\n", 6),
        ("prompt,seconds\r\na,1\r\nb,long\r\n", 3),
        ("prompt,seconds\ra,1\rb,long\r", 3),
    ],
)
def test_a_wrong_row_is_named_by_the_line_that_it_begins_in(text: str, line: int, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=f"a.csv, line {line}: seconds is not a number"):
        read_batch(write(tmp_path, "a.csv", text), "pocket", "t2v", registry=REGISTRY)


@pytest.mark.parametrize(
    ("name", "data", "said", "hint"),
    [
        ("a.xlsx", b"PK\x03\x04rest", "a workbook", "CSV"),
        ("a.csv", b"PK\x03\x04rest", "a workbook", "CSV"),
        ("a.xls", b"\xd0\xcf\x11\xe0rest", "a workbook", "CSV"),
        ("a.csv", "prompt\nein grüner Ball\n".encode("cp1252"), "is not UTF-8 text", "UTF-8"),
        ("a.txt", "ein grüner Ball\n".encode("cp1252"), "is not UTF-8 text", "UTF-8"),
        ("a.jsonl", b'{"prompt": "a\0b"}', "zero byte", "UTF-8"),
        ("a.csv", codecs.BOM_UTF16_LE + b"a", "is not UTF-8 text", "UTF-8"),
        ("base.png", b"\x89PNG\r\n\x1a\n\0\0", "base.png is not a table", "Use a .csv, .tsv, .jsonl or .txt file."),
    ],
)
def test_what_is_no_text_is_refused_by_its_kind(name: str, data: bytes, said: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=said) as refused:
        read_rows(write(tmp_path, name, data))

    assert name in refused.value.message
    assert hint in refused.value.hint


def test_an_uploaded_table_that_names_a_file_says_so_once(tmp_path: Path, samples: dict[str, Path]) -> None:
    table = write(tmp_path, "a.jsonl", json.dumps({"prompt": "x", "image": str(samples["image"])}))

    with pytest.raises(RequestError) as refused:
        read_batch(table, "pocket", "i2v", with_files=False, registry=REGISTRY)

    assert refused.value.message == "a.jsonl, line 1: it names a file for image, which is not allowed here."


def test_an_object_that_is_nested_too_deeply_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="line 1: it is not valid JSON: it is nested too deeply"):
        read_batch(write(tmp_path, "a.jsonl", '{"prompt":' * 100_000), "pocket", "t2v", registry=REGISTRY)
