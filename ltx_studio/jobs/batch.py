"""Many requests at once: a sweep of seeds, or a file with a request in each line."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from ltx_studio import limits, reading
from ltx_studio.errors import RequestError, WorkflowError
from ltx_studio.graph.values import Scale, shown
from ltx_studio.jobs.spec import JobSpec
from ltx_studio.jobs.specs import Spec
from ltx_studio.media.open import locate
from ltx_studio.modes import FAST, MAX_SEED, UserLora, get_mode

MOST = limits.TABLE_ROWS.most
"""Requests in one batch."""
Row = tuple[int, Mapping[str, Any]]
"""The line that a request ends in, and what it says."""
_LIKE_THIS = 'Write an object like {"mode": "t2v", "prompt": "a ball"}.'
_LONGEST_MESSAGE = 1000
_OF_THE_REQUEST = ("mode", "preset", "model_set")


def sweep(spec: Spec, count: int) -> Iterator[Spec]:
    """So many requests, whose seeds come one after another from that of `spec` on."""
    for number in range(count):
        yield spec if not number else spec.with_seed(((spec.seed or 0) + number) % (MAX_SEED + 1))


def read_batch(
    path: Path,
    model_set: str,
    mode: str | None = None,
    preset: str = FAST.id,
    *,
    with_files: bool = True,
    uploaded: bool = False,
) -> list[JobSpec]:
    """The requests of a file: JSON objects, one in each line, or a table (``.csv``) with names in its first line.

    Each has ``prompt`` and whatever else the mode takes, and may have ``mode``, ``preset`` and ``model_set`` of its
    own. Paths are meant from the file's folder on. LoRAs are a list of objects as in the API,
    or one text, ``FILE:STRENGTH; FILE``.

    Args:
        path: The file.
        model_set: Where a request names none.
        mode: The same.
        preset: The same.
        with_files: Whether requests may name files of this machine.
        uploaded: Whether the file lies where an upload was put, and not where its user has it: the files that it names
            are not beside it, so their paths have to be whole.

    Raises:
        RequestError: The file cannot be read, or a request in it is wrong: which line, and why.
    """
    path = locate(path)
    rows = reading.read(read_rows, path)
    usual = {"mode": mode, "preset": preset, "model_set": model_set}
    folder = None if uploaded else path.parent
    return [_spec(line, row, usual, path, folder, with_files=with_files) for line, row in rows]


def read_rows(path: Path) -> list[Row]:
    """Return what each request of a file says, unchecked.

    Raises:
        RequestError: The file cannot be read, is too large, or has no requests or too many.
    """
    rows: list[Row] = []
    try:
        limits.TABLE_FILE.check(path.stat().st_size, path.name)
        with path.open(encoding="utf-8-sig") as file:
            lines = _lines_of(file, path)
            for row in _table(lines, path) if path.suffix.lower() == ".csv" else _objects(lines, path):
                rows.append(row)
                limits.TABLE_ROWS.check(len(rows), path.name)  # before the next is read: there may be millions
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{path.name} cannot be read: {error}.", "Save it as a UTF-8 text file.") from None
    if not rows:
        raise RequestError(f"{path.name} has no requests.", "Write one in each line.")
    return rows


def _lines_of(file: TextIO, path: Path) -> Iterator[str]:
    size = 0
    for number, line in enumerate(file, 1):
        size += len(line)
        limits.TABLE_LINES.check(number, path.name)
        limits.TABLE_FILE.check(size, path.name)  # it may grow while it is read
        if "\0" in line:
            raise RequestError(f"{path.name} contains a NUL character.", "Save it as a UTF-8 text file.")
        yield line


def _objects(lines: Iterator[str], path: Path) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _wrong(path, number, f"it is not valid JSON: {error}.", _LIKE_THIS) from None
        if not isinstance(row, dict):
            raise _wrong(path, number, "it is not a JSON object.", _LIKE_THIS)
        limits.TABLE_COLUMNS.check(len(row), f"{path.name}, line {number}")
        _check_values(row, path, number)
        yield number, row


def _check_values(row: Mapping[str, Any], path: Path, number: int) -> None:
    try:
        scale = Scale()
        for name, value in row.items():
            scale.weigh_name(name, f"line {number}")
            scale.weigh(value, name, f"line {number}")
    except WorkflowError as error:
        raise _wrong(path, number, error.message, "Correct that value.") from None


def _table(lines: Iterator[str], path: Path) -> Iterator[Row]:
    csv.field_size_limit(limits.TEXT.most)
    reader = csv.DictReader(lines, skipinitialspace=True, strict=True)
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
        limits.TABLE_COLUMNS.check(len(names), path.name)
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise _wrong(path, 1, f"it names {shown(twice)!r} twice.", "Give each column its own name.")
        for row in reader:
            if None in row:
                raise _wrong(path, reader.line_num, "it has more fields than the first line.", "Put commas in quotes.")
            given = {name.strip(): value for name, value in row.items() if value not in (None, "")}
            if given:
                yield reader.line_num, given
    except csv.Error as error:
        raise _wrong(path, reader.reader.line_num, f"{error}.", "Save it again as CSV.") from None


def _spec(
    line: int,
    row: Mapping[str, Any],
    usual: Mapping[str, str | None],
    path: Path,
    folder: Path | None,
    *,
    with_files: bool,
) -> JobSpec:
    of_request = {name: row.get(name, usual[name]) for name in _OF_THE_REQUEST}
    values = {name: value for name, value in row.items() if name not in _OF_THE_REQUEST}
    mode = of_request["mode"]
    if mode is None:
        raise _wrong(path, line, "it names no mode.", "Name one, such as t2v, in its `mode`, or give --mode.")
    try:
        for name in (*get_mode(str(mode)).media, "loras"):
            if values.get(name) and not with_files:
                raise _wrong(path, line, f"it names a file for {name}.", "Use the API, which takes uploads.")
        for name in get_mode(str(mode)).media:
            if values.get(name):
                values[name] = _found(str(values[name]), name, folder)
        loras = values.get("loras")
        if isinstance(loras, str):
            values["loras"] = loras = [UserLora.written(each.strip()) for each in loras.split(";") if each.strip()]
        if isinstance(loras, list):
            values["loras"] = [{**lora, "file": _found(str(lora["file"]), "loras", folder)} for lora in loras]
        return JobSpec.from_request(str(mode), values, str(of_request["model_set"]), str(of_request["preset"]))
    except RequestError as error:
        raise _wrong(path, line, error.message, error.hint) from None
    except (KeyError, TypeError, ValueError):
        raise _wrong(path, line, "its loras are wrong.", "Write mine.safetensors:0.8; other.safetensors.") from None


def _found(named: str, name: str, folder: Path | None) -> Path:
    """Where a file lies that is named for a parameter, meant from `folder` on, if there is one."""
    if folder is None and not Path(named).is_absolute():
        raise RequestError(
            f"It names {named!r} for {name}, and nobody knows where that is.",
            "Files in an uploaded table need whole paths, such as /home/me/picture.png.",
        )
    return Path(folder or "", named)


def _wrong(path: Path, line: int, what: str, hint: str) -> RequestError:
    said = shown(f"{what[:1].lower()}{what[1:]}", _LONGEST_MESSAGE)
    return RequestError(f"{path.name}, line {line}: {said}", hint, where=f"{path.name}:{line}")
