"""An XMP packet is found where readers look for it, and picture and sound stay as they were."""

import struct
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from ltx_studio.media import xmp

PACKET = b"<?xpacket begin=''?><x:xmpmeta xmlns:x='adobe:ns:meta/'/><?xpacket end='r'?>"
EXIF = Image.Exif()
EXIF[0x010E] = "a workflow"


def picture(form: str, mode: str = "RGB", **options: object) -> bytes:
    image = Image.radial_gradient("L").resize((33, 17)).convert(mode)
    file = BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        picture("PNG"),
        picture("PNG", "RGBA"),
        picture("PNG", "I;16"),
        picture("PNG", save_all=True, append_images=[Image.new("RGB", (33, 17), "red")]),
        picture("JPEG"),
        picture("JPEG", exif=EXIF),
        picture("JPEG", comment=b"hello", dpi=(72, 72)),
        picture("WEBP", exif=EXIF),
        picture("WEBP", "RGBA", lossless=True, exif=EXIF),
        picture("WEBP", save_all=True, append_images=[Image.new("RGB", (33, 17), "red")]),
    ],
    ids=lambda data: data[:4].hex(),
)
@pytest.mark.parametrize("packet", [PACKET, PACKET + b" "])
def test_a_picture_carries_it_and_looks_the_same(data: bytes, packet: bytes) -> None:
    carried = xmp.in_picture(data, packet)

    assert carried is not None
    with Image.open(BytesIO(carried)) as image, Image.open(BytesIO(data)) as before:
        found = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
        assert (found.encode() if isinstance(found, str) else found) == packet
        assert image.getexif() == before.getexif()
        assert getattr(image, "n_frames", 1) == getattr(before, "n_frames", 1)
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            before.seek(index)
            assert image.tobytes() == before.tobytes()


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n\0", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WEBPVP8 "])
def test_other_and_damaged_files_carry_none(data: bytes) -> None:
    assert xmp.in_picture(data, PACKET) is None


def test_an_mp4_has_one_more_box_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(struct.pack(">I4s", 8, b"free"))

    xmp.append_to_mp4(path, PACKET)

    size, kind, name = struct.unpack_from(">I4s16s", path.read_bytes(), 8)
    assert (size, kind, name.hex()) == (24 + len(PACKET), b"uuid", "be7acfcb97a942e89c71999491e3afac")
    assert path.read_bytes()[32:] == PACKET
