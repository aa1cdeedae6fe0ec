"""What the header of a safetensors file tells."""

import json
from pathlib import Path

import pytest

from ltx_studio import limits
from ltx_studio.safetensors_header import flaw, read_header
from tests.hub import safetensors


def headed(header: object) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


def put(tmp_path: Path, contents: bytes) -> Path:
    path = tmp_path / "x.safetensors"
    path.write_bytes(contents)
    return path


def test_a_whole_file_has_as_many_bytes_as_its_header_says(tmp_path: Path) -> None:
    path = put(tmp_path, safetensors(5000))

    assert read_header(path).size == 5000
    assert list(read_header(path).tensors) == ["weight"]
    assert flaw(path) == ""


def test_a_file_that_was_saved_by_the_real_library_is_whole(tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    path = tmp_path / "real.safetensors"
    save_file({"a": np.zeros((3, 5), "float16"), "b": np.ones(7, "int64")}, path, metadata={"made": "here"})

    assert flaw(path) == ""
    assert set(read_header(path).tensors) == {"a", "b"}
    assert read_header(path).metadata == {"made": "here"}


@pytest.mark.parametrize("noted", [None, 7, [], "text", {"a": 7, "b": {"c": "d"}}])
def test_metadata_that_is_no_text_is_left_out(tmp_path: Path, noted: object) -> None:
    assert read_header(put(tmp_path, headed({"__metadata__": noted}))).metadata == {}


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"", "does not begin with a header"),
        (b"1234567", "does not begin with a header"),
        (bytes(100), "does not begin with a header"),
        (b"\xff" * 100, "does not begin with a header"),
        (b"PK\x03\x04" + bytes(100), "pickle"),
        (b"\x80\x02}q\x00(X\x0b\x00\x00\x00state_dict", "pickle"),
        ((20).to_bytes(8, "little") + b"not json at all ....", "header is damaged"),
        (headed([1, 2]), "header is damaged"),
        (headed({"a": 3}), "header is damaged"),
        (headed({"a": {"data_offsets": "ab"}}), "header is damaged"),
        (headed({"a": {"data_offsets": [0, 90]}}) + bytes(89), "of"),
        (headed({"a": {"data_offsets": [0, 90]}}) + bytes(91), "of"),
    ],
)
def test_what_is_none_or_not_whole_is_said(tmp_path: Path, contents: bytes, said: str) -> None:
    assert said in flaw(put(tmp_path, contents))


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    assert "cannot be read" in flaw(tmp_path / "none.safetensors")


def test_a_change_is_noticed(tmp_path: Path) -> None:
    assert flaw(put(tmp_path, safetensors(5000))) == ""
    assert flaw(put(tmp_path, safetensors(5000)[:4000])) != ""


@pytest.mark.parametrize(
    "offsets",
    ["[0, 1e999]", "[0, -5]", "[5, 0]", "[0, 9223372036854775808]", f"[0, {'9' * 4_000}]", f"[0, {'9' * 5_000}]", "[0]",
     '["0", "5"]', "[0, 1, 2]", "[0.5, 3]", "null"],
)  # fmt: skip
def test_offsets_that_no_file_can_have_are_said(tmp_path: Path, offsets: str) -> None:
    text = f'{{"a": {{"data_offsets": {offsets}}}}}'.encode()

    assert "header is damaged" in flaw(put(tmp_path, len(text).to_bytes(8, "little") + text))


def test_a_header_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    length = limits.SAFETENSORS_HEADER.most + 1
    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.write(length.to_bytes(8, "little"))
        file.truncate(length + 100)

    assert "its header has 16.8 MB, and the limit is 16.8 MB" in flaw(path)
