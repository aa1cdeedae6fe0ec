"""Checks an upload while it arrives: Gradio keeps the parts that are not files in memory, however large they are."""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ltx_studio import limits


class FieldError(Exception):
    """The parts of an upload that are not files are larger than `limits.UPLOAD_FIELD` together."""


class UploadFields:
    """Counts the bytes of an upload that belong to no file.

    Args:
        content_type: The request's header. A body of another type is not checked: Gradio refuses it.
    """

    def __init__(self, content_type: bytes) -> None:
        kind, options = parse_options_header(content_type)
        self._size, self._is_file, self._header = 0, False, b""
        self._name, self._value = b"", b""
        boundary = options.get(b"boundary", b"")
        self._parser = (
            MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._add_name,
                    "on_header_value": self._add_value,
                    "on_header_end": self._end_header,
                    "on_part_data": self._count,
                },
            )
            if kind == b"multipart/form-data" and boundary
            else None
        )

    def feed(self, data: bytes) -> None:
        """Check the next bytes.

        Raises:
            FieldError: Too many bytes belong to no file.
        """
        if self._parser is None or not data:
            return
        try:
            self._parser.write(data)
        except FormParserError:  # Gradio parses the same body, and reports the error
            self._parser = None

    def _begin(self) -> None:
        self._is_file = False

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._is_file = b"filename" in options
        self._name, self._value = b"", b""

    def _count(self, _: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._size += end - start
            if self._size > limits.UPLOAD_FIELD.most:
                raise FieldError
