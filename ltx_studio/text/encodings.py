"""Decode text from other programs in any Unicode encoding, and explain why it is not JSON."""

import codecs
import json
from collections import Counter

from ltx_studio.errors import RequestError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT = 1000
"""How many bytes to check whether text without a byte order mark is UTF-16."""
_BETWEEN_WORDS = b' \t\r\n,;|"{}'
"""Characters that text in any language has; in UTF-16 one byte of each is zero, in UTF-8 no byte ever is."""
_AROUND = "\ufeff\0 \t\r\n"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""The first bytes of .xlsx, .ods and .numbers files, and of old .xls files."""


def decode(data: bytes, name: str) -> str:
    """Return the text of a file in UTF-8, UTF-16 or UTF-32, without its byte order mark.

    Args:
        data: The bytes of the file.
        name: The file's name, for the error.

    Raises:
        RequestError: The bytes are not text in one of these encodings.
    """
    if data.startswith(_WORKBOOKS):
        raise RequestError(f"{name} is an archive or a workbook, not a text file.", "Export it as CSV (UTF-8).")
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{name} is not UTF-8 text (invalid byte at {error.start:,}).",
            "Save it as UTF-8 (in Excel: CSV UTF-8).",
        ) from None
    if "\0" in text:
        raise RequestError(f"{name} is not text: it contains a zero byte.", "Save it as UTF-8.")
    return text


def unpadded(text: str) -> str:
    """Strip a byte order mark, spaces and zeros, which `json.loads` refuses, from both ends of a text."""
    return text.strip(_AROUND)


def why_no_json(error: ValueError | RecursionError) -> str:
    """Return why `json.loads` failed, in words for users."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, json.JSONDecodeError) and error.lineno == 1:
        return f"{error.msg} at column {error.colno}"
    return str(error)


def _encoding(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    start = data[:_LOOKED_AT]
    pairs = Counter(zip(start[::2], start[1::2], strict=False))
    little = sum(pairs[byte, 0] for byte in _BETWEEN_WORDS)
    big = sum(pairs[0, byte] for byte in _BETWEEN_WORDS)
    if little == big:
        return "utf-8"
    return "utf-16-le" if little > big else "utf-16-be"
