"""What an upload brings besides files stays small: Gradio would keep it in memory."""

import pytest

from ltx_studio import limits
from ltx_studio.web.access.multipart import FieldError, UploadFields

TYPE = b"multipart/form-data; boundary=b"
MOST = limits.UPLOAD_FIELD.most


def part(disposition: str, size: int) -> bytes:
    return f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + b"x" * size + b"\r\n"


FILE, FIELD = 'name="files"; filename="a.png"', 'name="f"'


def feed(body: bytes, step: int, content_type: bytes = TYPE) -> None:
    fields = UploadFields(content_type)
    for start in range(0, len(body), step):
        fields.feed(body[start : start + step])


@pytest.mark.parametrize("step", [7, 1000, 1 << 20])
@pytest.mark.parametrize(
    "body",
    [
        part(FILE, 3 * MOST) + b"--b--\r\n",
        part(FIELD, MOST) + part(FILE, 2 * MOST),
        part(FILE, 2 * MOST) + part(FIELD, 10) + part(FILE, 5),
        part('filename="a.png"; name="files"', 2 * MOST),
        part("name=files; filename=", 2 * MOST),
        b"x" * 3 * MOST,
        b"",
    ],
)
def test_files_may_be_large(body: bytes, step: int) -> None:
    feed(body, step)


@pytest.mark.parametrize("step", [7, 1000, 1 << 20])
@pytest.mark.parametrize(
    "body",
    [
        part(FIELD, MOST + 1),
        part(FIELD, MOST // 2) + part(FIELD, MOST // 2 + 1),
        part(FILE, 10) + part(FIELD, MOST + 1),
        part('name="filename"', MOST + 1),
    ],
)
def test_fields_may_not(body: bytes, step: int) -> None:
    with pytest.raises(FieldError):
        feed(body, step)


@pytest.mark.parametrize("content_type", [b"", b"application/json", b"multipart/form-data", b"\xff; boundary=b"])
def test_other_bodies_are_for_gradio_to_refuse(content_type: bytes) -> None:
    feed(part(FIELD, 2 * MOST), 1000, content_type)
