"""Reading text that other programs wrote, whatever Unicode encoding they chose."""

import codecs

from ltx_studio.errors import RequestError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT = 1000
"""Bytes that show whether text without a byte order mark is UTF-16."""
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
        raise RequestError(f"{name} is not a text file but an archive or a workbook.", "Export it as CSV (UTF-8).")
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{name} is not text in UTF-8 (byte {error.start:,} does not fit).",
            "Save it again as UTF-8; in Excel: CSV UTF-8.",
        ) from None
    if "\0" in text:
        raise RequestError(f"{name} is not text: it contains a zero byte.", "Save it again as UTF-8.")
    return text


def _encoding(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    start = data[:_LOOKED_AT]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if odd > len(start) // 4 and not even:
        return "utf-16-le"
    return "utf-16-be" if even > len(start) // 4 and not odd else "utf-8"
