"""Files that would take all memory, a core for ever, or another program."""

import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from ltx_studio import limits, sandbox
from ltx_studio.errors import RequestError
from ltx_studio.media import InputPreparer, Picture, PictureFile, probe_clip, probe_picture, probe_sound
from ltx_studio.media.open import opened_picture, tags
from ltx_studio.media.picture import opaque
from tests.media.hostile import clip_of, png, wav
from tests.media.reference import ffmpeg

GROWTH = """
import sys
from pathlib import Path
from ltx_studio.media import InputPreparer, PictureFile, probe_picture
from PIL import Image
def most():
    status = Path("/proc/self/status").read_text().splitlines()  # `getrusage` begins with the parent's peak
    return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM:"))
path, folder = Path(sys.argv[1]), Path(sys.argv[2])
before = most()
found = probe_picture(path)
probed = most() - before
name = InputPreparer(folder, folder)(PictureFile(path))
with Image.open(folder / name) as made:
    print(found.width, found.height, probed, most() - before, made.mode, *made.size)
"""


def test_a_postscript_file_called_a_picture_starts_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called, gs = tmp_path / "called", tmp_path / "bin" / "gs"
    gs.parent.mkdir()
    gs.write_text(f"#!/bin/sh\ntouch {called}\nexit 1\n")
    gs.chmod(0o755)
    monkeypatch.setenv("PATH", f"{gs.parent}{os.pathsep}{os.environ['PATH']}")
    path = tmp_path / "x.png"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\nshowpage\n%%EOF\n")

    with pytest.raises(RequestError, match=r"x\.png is a PostScript drawing"):
        probe_picture(path)
    with pytest.raises(RequestError):
        InputPreparer(tmp_path / "in", tmp_path)(PictureFile(path))

    assert not called.exists()


@pytest.mark.parametrize("colour", [0, 2, 6])
def test_a_picture_beyond_the_limit_is_refused_before_it_is_decoded(tmp_path: Path, colour: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(13_300, 13_300, colour))

    with pytest.raises(RequestError, match="177 megapixels; the limit is 150 megapixels"):
        probe_picture(path)


def large(path: Path) -> Path:
    """144 megapixels, as cameras with large sensors give them."""
    side = 12_000
    match path.stem:
        case "rgba":
            path.write_bytes(png(side, side, 6))
        case "rgb":
            path.write_bytes(png(side, side, 2))
        case "turned":
            exif = Image.Exif()
            exif[0x0112] = 6
            Image.new("RGB", (side, side - 600), "red").save(path, exif=exif, quality=60)
        case "cmyk":
            Image.new("CMYK", (side, side)).save(path, quality=60)
        case "deep":
            Image.new("I;16", (side, side)).save(path, compression="tiff_adobe_deflate")
        case "palette":
            Image.new("P", (side, side)).save(path, transparency=0)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "rgba.png",
        "turned.jpg",
        "cmyk.jpg",
        "deep.tif",
        *(pytest.param(name, marks=pytest.mark.thorough) for name in ("rgb.png", "palette.png")),
    ],
)
def test_a_picture_of_144_megapixels_works_within_a_gigabyte(tmp_path: Path, name: str) -> None:
    path = large(tmp_path / name)

    done = subprocess.run(
        [sys.executable, "-c", GROWTH, str(path), str(tmp_path / "in")], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    width, height, probed, grown, mode, *size = done.stdout.split()
    assert (width, height) == (("11400", "12000") if name == "turned.jpg" else ("12000", "12000"))
    assert max(int(probed), int(grown)) < 1024, "MiB"
    assert mode == "RGB"
    assert min(map(int, size)) == 4096


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I", "I;16", "F", "YCbCr"])
def test_converting_in_bands_changes_no_pixel(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from ltx_studio.media import picture

    noise = np.random.default_rng(7).integers(0, 256, (97, 61, 4), dtype=np.uint8)
    base = Image.fromarray(noise, "RGBA")
    steps = {
        "PA": ("P", "PA"),
        "La": ("LA", "La"),
        "I;16": ("I", "I;16"),
        "YCbCr": ("RGB", "YCbCr"),
        "CMYK": ("RGB", "CMYK"),
    }
    image: Image.Image = base
    for step in steps.get(mode, (mode,)):
        image = image.convert("L").convert(step) if step in ("I", "F") else image.convert(step)
    monkeypatch.setattr(picture, "BAND_PIXELS", 61 * 10)

    banded = picture.in_bands(image, 61, 97)
    scaled = picture.in_bands(image, 23, 37)

    whole = opaque(image)
    assert np.array_equal(np.asarray(banded), np.asarray(whole))
    expected = np.asarray(whole.resize((23, 37), Image.Resampling.LANCZOS), dtype=np.int16)
    assert np.abs(np.asarray(scaled, dtype=np.int16) - expected).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_set_upright_as_its_camera_says(tmp_path: Path, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    noise = np.random.default_rng(orientation).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    path = tmp_path / "phone.png"
    Image.fromarray(noise).save(path, exif=exif)
    with Image.open(path) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")

    name = InputPreparer(tmp_path / "in", tmp_path)(PictureFile(path))

    with Image.open(tmp_path / "in" / name) as made:
        assert np.array_equal(np.asarray(made), np.asarray(upright))
        assert made.getexif().get(0x0112, 1) == 1
    assert probe_picture(path) == Picture(*upright.size)


def test_one_large_picture_is_decoded_at_a_time(tmp_path: Path) -> None:
    from ltx_studio.media import open as opening

    path = tmp_path / "large.png"
    path.write_bytes(png(5_000, 5_000, 0))

    with opened_picture(path):
        assert opening._one_large_picture.locked()
    assert not opening._one_large_picture.locked()


@pytest.mark.parametrize("claim", [(64, 64), (6_000, 6_000)])
def test_a_clip_whose_frames_are_larger_than_its_header_says_is_refused(tmp_path: Path, claim: tuple[int, int]) -> None:
    path = clip_of(tmp_path / "bomb.mov", png(9_000, 9_000), claim=claim)

    with pytest.raises(RequestError, match=r"bomb\.mov has no video frames that can be read"):
        probe_clip(path)


def test_a_clip_that_says_itself_that_it_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.mov"
    with av.open(path, "w", format="mov") as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 7_000, 6_000, "yuvj420p"
        out.mux(stream.encode(av.VideoFrame(7_000, 6_000, "yuvj420p")))
        out.mux(stream.encode(None))

    with pytest.raises(RequestError, match="has no video frames that can be read") as caught:
        probe_clip(path)
    assert "8K" in caught.value.hint


@pytest.mark.parametrize(("rate", "said"), [(1, "1 samples per second"), (999, "999"), (800_000, "768,000")])
def test_a_sound_with_a_rate_that_nobody_uses_is_refused(tmp_path: Path, rate: int, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        probe_sound(wav(tmp_path / "odd.wav", rate=rate))


def test_a_sound_of_a_telephone_works(tmp_path: Path) -> None:
    assert probe_sound(wav(tmp_path / "call.wav", rate=8_000, size=16_000)).seconds == 2


def test_going_through_a_sound_ends_after_so_many_packets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PACKETS", limits.Limit(3, "packets", "Cut it."))

    assert probe_sound(wav(tmp_path / "long.wav", rate=8_000, size=800_000)).seconds == pytest.approx(100, abs=1)


def test_a_clip_of_damaged_frames_is_given_up_after_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DAMAGED_PACKETS", limits.Limit(5, "damaged packets in a row", "Save it again."))
    path = clip_of(tmp_path / "broken.mov", b"this is no picture", frames=50)

    with pytest.raises(RequestError, match="more than 5 damaged packets in a row"):
        probe_clip(path)


def test_a_file_of_too_many_streams_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "many.mkv"
    with av.open(path, "w") as out:
        streams = [out.add_stream("pcm_s16le", rate=8_000) for _ in range(6)]
        frame = av.AudioFrame(format="s16", layout="stereo", samples=100)
        frame.sample_rate, frame.pts = 8_000, 0
        for stream in streams:
            out.mux(stream.encode(frame))
    monkeypatch.setattr(limits, "STREAMS", limits.Limit(5, "streams", "Save it with one."))

    with pytest.raises(RequestError, match="6 streams; the limit is 5"):
        probe_sound(path)


def test_a_decoder_that_is_not_on_the_list_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "old.avi"
    with av.open(path, "w", format="avi") as out:
        stream = out.add_stream("zmbv", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "bgr0"
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame(64, 64, "bgr0")))
        out.mux(stream.encode(None))

    with pytest.raises(RequestError):
        probe_clip(path)


@pytest.mark.parametrize("raw", [b"\xff\xfe\xfa", b"a\x80b", b"\xc3("])
def test_tags_in_no_known_encoding_are_read_with_marks_for_what_is_lost(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "tagged.mp4"
    with av.open(path, "w", options={"movflags": "use_metadata_tags"}) as out:
        out.metadata.update({"comment": "x" * len(raw)})
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        out.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        out.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b"x" * len(raw), raw))

    assert "�" in tags(path)["comment"]


def test_files_are_read_in_a_child_where_the_studio_serves_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = sandbox._Pool()
    monkeypatch.setattr(sandbox, "_pool", pool)
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    try:
        assert probe_picture(tmp_path / "a.png") == Picture(64, 48)
        assert probe_sound(wav(tmp_path / "a.wav", rate=8_000, size=8_000)).seconds == 1
        assert len(pool._idle) == 1, "a child has read them"
    finally:
        pool.close()


@pytest.mark.parametrize("size", [(1, 1), (4, 300), (300, 4)])
def test_a_tiny_jpeg_is_too_small_and_no_more(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "dot.jpg")

    with pytest.raises(RequestError, match="too small"):
        probe_picture(tmp_path / "dot.jpg")


def test_a_picture_of_floats_is_read_within_a_gigabyte_or_refused(tmp_path: Path) -> None:
    for side, accepted in ((3_400, True), (6_000, False)):
        path = tmp_path / f"{side}.exr"
        size = f"color=red:s={side}x{side}:d=0.04"
        ffmpeg("-f", "lavfi", "-i", size, "-frames:v", "1", "-update", "1", "-pix_fmt", "gbrpf32le", path)
        done = subprocess.run(
            [sys.executable, "-c", GROWTH, str(path), str(tmp_path / "in")], capture_output=True, text=True, check=False
        )
        if accepted:
            assert done.returncode == 0, done.stderr
            assert max(map(int, done.stdout.split()[2:4])) < 1024, "MiB"
        else:
            assert "is an OpenEXR file of an unsupported kind or size, which is not supported" in done.stderr
