"""Tables of requests: read the rows of JSON lines, of a table in any dialect, or of a list of prompts."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ltx_studio import limits
from ltx_studio.advice import Advice
from ltx_studio.errors import RequestError, WorkflowError
from ltx_studio.graph.values import Scale, shown
from ltx_studio.modes import MODES
from ltx_studio.text import encodings

Row = tuple[int, Mapping[str, Any]]
"""The line where a request begins, and its values."""
ReadRow = tuple[int, Mapping[str, Any] | RequestError]
"""The same, or what is wrong with a line that has no values."""

OF_THE_REQUEST = ("mode", "preset", "model_set")
"""Columns that a row may have besides the settings of its mode."""
SUFFIXES = (".csv", ".tsv", ".jsonl", ".txt")
"""The usual suffixes of files of requests."""

_WORKBOOKS = (".xlsx", ".xls", ".ods", ".numbers")
_SAVE_AS = f"Use a {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file."
_TABLES = (".csv", ".tsv", ".tab")
_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r'"?sep=(?P<mark>[,;\t|])"?\s*', re.IGNORECASE)
"""A first line for Excel that only names the column separator."""
_LIKE_THIS = 'Write an object such as {"mode": "t2v", "prompt": "a ball"}.'
_LONGEST_MESSAGE = 1000


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a file of requests, unchecked.

    A ``.csv`` or ``.tsv`` file is a table with commas, semicolons, tabs or bars between its columns, and their names in
    the first line; so is any other file whose first line names columns, such as Excel's "Unicode Text" (``.txt``). Any
    other ``.txt`` file has a prompt in each line, unless it holds objects. Everything else has a JSON object in
    each line.

    Raises:
        RequestError: The file cannot be read, is too large, has no requests or too many, or a line has no values.
    """
    rows: list[Row] = []
    for line, row in _rows(path, _text(path)):
        if isinstance(row, RequestError):
            raise row
        rows.append((line, row))
    return rows


def read_rows_or_lines(path: Path) -> tuple[list[ReadRow], bool]:
    """Return the same as `read_rows`, but of a table that begins with a sentence instead of titles each line as a
    prompt; and whether it is such a table. A wrong line is among the rows, where the lines after it can be read.

    Raises:
        RequestError: See `read_rows`.
    """
    text = _text(path)
    is_untitled = path.suffix.lower() in _TABLES and _begins_with_sentence(text)
    return _rows(path, text, _sentences if is_untitled else None), is_untitled


def _rows(path: Path, text: str, read: Callable[[str, Path], Iterator[ReadRow]] | None = None) -> list[ReadRow]:
    suffix = path.suffix.lower()
    if read is None:
        if suffix in _TABLES or _has_titles(text):
            read = _table
        else:
            read = _prompts if suffix == ".txt" and not _is_json(text) else _objects
    rows: list[ReadRow] = []
    for row in read(text, path):
        rows.append(row)
        limits.TABLE_ROWS.check(len(rows), path.name, is_partial=True)  # before the next is read: there may be millions
    if not rows:
        raise RequestError(f"{path.name} has no requests.", "Add one per line.")
    return rows


def wrong_row(path: Path, number: int, what: str, hint: str, advice: Advice | None = None) -> RequestError:
    """Return the error about one line of a file."""
    first = what.partition(" ")[0]
    is_name = first[1:] != first[1:].lower() or "." in first  # such as LoRA, or a file's name
    said = shown(what if is_name else f"{what[:1].lower()}{what[1:]}", _LONGEST_MESSAGE)
    return RequestError(f"{path.name}, line {number}: {said}", hint, advice=advice, where=f"{path.name}:{number}")


@cache
def columns() -> frozenset[str]:
    """Return every name that a table may have in its first line."""
    return frozenset({*OF_THE_REQUEST, *(name for mode in MODES.values() for name in mode.params.model_fields)})


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(limits.TABLE_FILE.most + 1)  # it may grow while it is read
    except OSError as error:
        raise RequestError(f"{path.name} cannot be read: {error.strerror}.", "Check the path.") from None
    limits.TABLE_FILE.check(len(data), path.name, is_partial=True)
    try:
        return encodings.decode(data, path.name)
    except RequestError as error:
        if path.suffix.lower() in (*SUFFIXES, *_WORKBOOKS):
            raise
        raise RequestError(f"{path.name} is not a table.", _SAVE_AS, details=error.message) from None


def _lines(text: str, path: Path) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        limits.TABLE_LINES.check(number, path.name, is_partial=True)
        yield line


def _is_json(text: str) -> bool:
    first = next(filter(str.strip, io.StringIO(text)), "")
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _has_titles(text: str) -> bool:
    """Return whether the first line of a file can only be column names, not a prompt."""
    first = next(filter(str.strip, io.StringIO(text)), "")
    if _SEPARATOR_LINE.fullmatch(first):
        return True
    if first.lstrip().startswith(("{", "[")) or len(first) > limits.TEXT.most:
        return False
    names = _names(first)
    known = columns() & set(names)
    return names == ["prompt"] or (len(names) > 1 and len(known) == len(names)) or ("\t" in first and bool(known))


def _begins_with_sentence(text: str) -> bool:
    """Return whether the first line of a table names no column, and is more than one word of several columns."""
    first = next(filter(str.strip, io.StringIO(text)), "").strip()
    if _SEPARATOR_LINE.fullmatch(first) or len(first) > limits.TEXT.most or columns() & set(_names(first)):
        return False
    return " " in first or len(_names(first)) == 1


def _names(line: str) -> list[str]:
    mark = max(_DELIMITERS, key=lambda each: _fit(line, each))
    return [name for name in map(_name, line.split(mark)) if name]


def _sentences(text: str, path: Path) -> Iterator[Row]:
    """Yield each line as a prompt, without the quotes of a field that is the whole line."""
    for number, row in _prompts(text, path):
        line = str(row["prompt"])
        is_quoted = len(line) > 1 and line.startswith('"') and line.endswith('"')
        inner = line[1:-1].replace('""', "")
        yield number, {"prompt": line[1:-1].replace('""', '"') if is_quoted and '"' not in inner else line}


def _prompts(text: str, path: Path) -> Iterator[Row]:
    for number, line in enumerate(_lines(text, path), 1):
        if line.strip():
            yield number, {"prompt": line.strip()}


def _objects(text: str, path: Path) -> Iterator[ReadRow]:
    for number, line in enumerate(_lines(text, path), 1):
        if not line.strip():
            continue
        try:
            yield number, _object(line, path, number)
        except RequestError as error:
            yield number, error


def _object(line: str, path: Path, number: int) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise wrong_row(path, number, f"it is not valid JSON: {encodings.why_no_json(error)}.", _LIKE_THIS) from None
    if not isinstance(row, dict):
        raise wrong_row(path, number, "it is not a JSON object.", _LIKE_THIS)
    limits.TABLE_COLUMNS.check(len(row), f"{path.name}, line {number}")
    _check_values(row, path, number)
    return row


def _check_values(row: Mapping[str, Any], path: Path, number: int) -> None:
    try:
        scale = Scale()
        for name, value in row.items():
            scale.weigh_name(name, None)
            scale.weigh(value, name, None)
    except WorkflowError as error:
        raise wrong_row(path, number, error.message, "Correct the value.") from None


def _table(text: str, path: Path) -> Iterator[ReadRow]:
    csv.field_size_limit(limits.TEXT.most)
    lines = _lines(text, path)
    line = next((line for line in lines if line.strip()), "")
    header = text.count("\n", 0, text.find(line)) + 1
    given = _SEPARATOR_LINE.fullmatch(line)
    if given:
        header, line = header + 1, next(lines, "")
    usual = _DELIMITERS if path.suffix.lower() == ".csv" else f"\t{_DELIMITERS}"  # on a tie, the first one wins
    mark = given["mark"] if given else max(usual, key=lambda each: _fit(line, each))
    names = [_name(each) for each in line.split(mark)]
    limits.TABLE_COLUMNS.check(len(names), path.name)
    _check_names(names, path, header)
    read: list[str] = []
    reader = csv.reader(_noted(lines, read), delimiter=mark, skipinitialspace=True, strict=True)
    end = header
    try:
        for fields in reader:
            number, end = end + 1, header + reader.line_num
            read.clear()
            if len(fields) > len(names) and any(fields[len(names) :]):
                hint = f"Put text that contains {_NAMED.get(mark, mark)} in quotes."
                yield number, wrong_row(path, number, f"it has {len(fields)} fields for {len(names)} columns.", hint)
                continue
            row = {name: value.strip() for name, value in zip(names, fields, strict=False) if name and value.strip()}
            if row:
                yield number, row
    except csv.Error as error:
        raise _wrong_quote(path, end + 1, read, mark, error) from None


def _noted(lines: Iterator[str], read: list[str]) -> Iterator[str]:
    for line in lines:
        read.append(line)
        yield line


def _wrong_quote(path: Path, number: int, row: list[str], mark: str, error: csv.Error) -> RequestError:
    """Return the error about a row that begins in line `number` and that the reader could not parse."""
    last = number + len(row) - 1
    opened = number + _line_of_last_quote(row, mark)
    if opened == last and "unexpected end" not in str(error):
        return wrong_row(path, last, f"{error}.", 'Save it again as CSV, or double each quote within quotes ("").')
    what = "it opens a quote that is not closed" + (f" up to line {last}" if opened < last else "")
    return wrong_row(path, opened, f"{what}.", 'Close it with ", or double each quote within quotes ("").')


def _line_of_last_quote(row: list[str], mark: str) -> int:
    """Return the index of the line in a row where its last quoted field begins."""
    found, is_open, before = 0, False, mark
    for number, line in enumerate(row):
        for letter in line:
            if is_open or before == '"':
                is_open = (letter == '"') != is_open
            elif letter == '"' and before == mark:
                found, is_open = number, True
            before = before if letter == " " and before == mark else letter
    return found


_NAMED: Mapping[str, str] = {",": "commas", ";": "semicolons", "\t": "tabs"}


def _fit(line: str, mark: str) -> tuple[int, int]:
    """Return how many known columns, and how many columns in all, a first line has with this delimiter."""
    names = [_name(each) for each in line.split(mark)]
    return len(columns() & set(names)), len(names)


def _name(written: str) -> str:
    """Return the setting that a column title names: ``Negative prompt`` is ``negative_prompt``."""
    return "_".join(written.strip().strip('"').casefold().replace("-", " ").replace("_", " ").split())


def _check_names(names: list[str], path: Path, number: int) -> None:
    if not any(names):
        return
    if not columns() & set(names):
        raise wrong_row(
            path,
            number,
            f"it has no known column: {', '.join(filter(None, names))}.",
            "Put column names in the first line, such as prompt,seed. "
            "For prompts alone, one per line, use a .txt file.",
        )
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise wrong_row(path, number, f"it has two columns {shown(twice)!r}.", "Give each column its own name.")
