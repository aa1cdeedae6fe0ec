"""The pictures of the table: formats, depths, transparency, orientations and profiles."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from tests.media.drawn import CORNERS, clip, float_tiff, picture, profiled


@dataclass(frozen=True)
class Picture:
    """A picture that is made.

    Attributes:
        name: Which it is.
        make: Writes it into a folder; where it is.
        expected: What its corners show; by default the four colours.
        within: Of 255.
    """

    name: str
    make: Callable[[Path], Path]
    expected: Any = CORNERS
    within: float = 4


GRAYS = tuple((round(0.299 * r + 0.587 * g + 0.114 * b),) * 3 for r, g, b in CORNERS)
HALF = tuple(tuple(255 - (255 - value) * 128 / 255 for value in corner) for corner in CORNERS)

SAVED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("png", "RGB", {}),
    ("png", "P", {}),
    ("jpg", "RGB", {"quality": 98, "subsampling": 0}),
    ("jpg", "RGB", {"quality": 95, "progressive": True}),
    ("jpg", "CMYK", {"quality": 98, "subsampling": 0}),
    ("webp", "RGB", {"lossless": True}),
    ("webp", "RGB", {"quality": 95}),
    ("tif", "RGB", {}),
    ("tif", "RGB", {"compression": "tiff_lzw"}),
    ("tif", "RGB", {"compression": "tiff_adobe_deflate"}),
    ("tif", "CMYK", {}),
    ("tif", "P", {}),
    ("bmp", "RGB", {}),
    ("bmp", "P", {}),
    ("gif", "P", {}),
    ("avif", "RGB", {"quality": 95}),
    ("avif", "RGB", {"quality": 95, "subsampling": "4:4:4"}),
    ("heic", "RGB", {"quality": 95}),
    ("heic", "RGB", {"quality": 95, "chroma": 444}),
    ("jp2", "RGB", {}),
    ("ppm", "RGB", {}),
    ("qoi", "RGB", {}),
)
ORIENTED = ("jpg", "png", "webp", "tif", "avif", "heic")


def pictures() -> Iterator[Picture]:
    """Give every picture of the table."""
    for number, (suffix, mode, options) in enumerate(SAVED):
        within = 6 if suffix == "gif" or mode == "P" else 4
        yield Picture(
            f"{suffix} {mode} {number}", partial(_saved, suffix=suffix, mode=mode, options=options), within=within
        )
    for suffix in ("png", "jpg", "webp", "tif", "bmp", "avif", "heic", "pgm"):
        yield Picture(f"{suffix} gray", partial(_saved, suffix=suffix, mode="L", options={}), GRAYS)
    for suffix in ("png", "webp", "tif", "avif", "heic"):
        lossless = {"lossless": True} if suffix == "webp" else {"quality": 95} if suffix in ("avif", "heic") else {}
        yield Picture(f"{suffix} half transparent", partial(_see_through, suffix=suffix, options=lossless), HALF)
    for suffix in ("png", "tif"):
        yield Picture(f"{suffix} gray, half transparent", partial(_see_through, suffix=suffix, mode="LA"), _half(GRAYS))
    yield from _deep()
    for suffix in ORIENTED:
        for orientation in (2, 3, 5, 6, 8):
            made = partial(_oriented, suffix=suffix, orientation=orientation)
            yield Picture(f"{suffix} orientation {orientation}", made, turned(orientation))
    for space in ("Display P3", "Adobe RGB", "ProPhoto", "Rec. 2020"):
        for suffix in ("png", "jpg", "tif"):
            if (space, suffix) == ("Rec. 2020", "jpg"):
                continue  # its rounding is more than 4 of 255 in so wide a space
            best: dict[str, Any] = {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
            within = 7 if suffix == "jpg" else 4
            yield Picture(f"{suffix} {space}", partial(_profiled, suffix=suffix, space=space, **best), within=within)
    for name, codes, within in (
        ("P3", (12, 1), 6),
        ("PQ", (9, 16), 14),
        ("HLG", (9, 18), 6),
    ):  # 8 bits of PQ are coarse
        yield Picture(f"png with codes for {name}", partial(png_with_codes, codes=codes), within=within)


def _half(colours: Any) -> Any:
    return tuple(tuple(255 - (255 - value) * 128 / 255 for value in corner) for corner in colours)


def turned(orientation: int) -> Any:
    """Return the colours of the corners of a picture that is turned so."""
    numbers = np.array(((0, 1), (2, 3)))
    numbers = {
        2: numbers[:, ::-1],
        3: numbers[::-1, ::-1],
        5: numbers.T,
        6: np.rot90(numbers, -1),
        8: np.rot90(numbers),
    }[orientation]
    return tuple(CORNERS[number] for number in numbers.ravel())


def _saved(folder: Path, suffix: str, mode: str, options: dict[str, Any]) -> Path:
    pillow_heif.register_heif_opener()
    image = Image.fromarray(picture())
    image = image.quantize(64) if mode == "P" else image.convert(mode)
    image.save(folder / f"a.{suffix}", **options)
    return folder / f"a.{suffix}"


def _see_through(folder: Path, suffix: str, mode: str = "RGBA", options: Any = None) -> Path:
    pillow_heif.register_heif_opener()
    image = Image.fromarray(picture())
    image.putalpha(128)
    image.convert(mode).save(folder / f"a.{suffix}", **(options or {}))
    return folder / f"a.{suffix}"


def _oriented(folder: Path, suffix: str, orientation: int) -> Path:
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(picture())
    path = folder / f"a.{suffix}"
    if suffix == "heic":
        image.info["exif"] = exif.tobytes()
        image.save(path, quality=95)
    elif suffix == "tif":
        image.save(path, tiffinfo=exif)
    else:
        best = {"png": {}, "webp": {"lossless": True}}.get(suffix, {"quality": 98})
        image.save(path, exif=exif, **best)
    return path


def _profiled(folder: Path, suffix: str, space: str, **options: Any) -> Path:
    return profiled(folder / f"a.{suffix}", space, **options)


def _deep() -> Iterator[Picture]:
    """Give pictures of more than 8 bits, and of floats."""
    for suffix, pixels in (
        ("png", "rgb48be"),
        ("png", "rgba64be"),
        ("png", "gray16be"),
        ("png", "ya16be"),
        ("tif", "rgb48le"),
        ("tif", "gray16le"),
        ("ppm", "rgb48be"),
        ("pgm", "gray16be"),
        ("jp2", "rgb48le"),
        ("webp", "yuv420p"),
        ("avif", "yuv444p10le"),
        ("avif", "yuv420p12le"),
    ):
        gray = pixels.startswith(("gray", "ya"))
        yield Picture(
            f"{suffix} {pixels}", partial(_by_ffmpeg, suffix=suffix, pixels=pixels), GRAYS if gray else CORNERS
        )
    for suffix, pixels in (("exr", "gbrpf32le"), ("exr", "gbrapf32le"), ("hdr", "gbrpf32le")):
        yield Picture(f"{suffix} {pixels}", partial(_by_ffmpeg, suffix=suffix, pixels=pixels, light=True))
    yield Picture("tif colour floats", _colour_floats)
    for top in (1.0, 255.0, 65_535.0):
        yield Picture(f"tif floats to {top:g}", partial(_floats, top=top), GRAYS)
    yield Picture("tif 32-bit integers", partial(_floats, top=65_535, mode="I"), GRAYS)
    for depth in (10, 12):
        yield Picture(f"heic {depth} bits", partial(_deep_heic, depth=depth))


def _by_ffmpeg(folder: Path, suffix: str, pixels: str, *, light: bool = False) -> Path:
    encoder = {"avif": ("-c:v", "libaom-av1", "-crf", "4", "-cpu-used", "8", "-still-picture", "1")}.get(suffix, ())
    exact = "flags=accurate_rnd+full_chroma_int"
    chain = f"scale={exact},format={pixels}"
    if light:
        chain = f"format=gbrp,setparams=color_trc=iec61966-2-1:color_primaries=bt709,zscale=t=linear,format={pixels}"
    single = ("-frames:v", "1", *(("-update", "1") if suffix != "avif" else ()))
    return clip(folder / f"a.{suffix}", *single, *encoder, chain=chain, frames=1)


def _colour_floats(folder: Path) -> Path:
    return float_tiff(folder / "a.tif", picture() / 255)


def _floats(folder: Path, top: float, mode: str = "F") -> Path:
    gray = np.asarray(Image.fromarray(picture()).convert("L")).astype(np.float32) / 255 * top
    gray[60, 90] = top
    Image.fromarray(gray if mode == "F" else gray.astype(np.int32)).save(folder / "a.tif")
    return folder / "a.tif"


def _deep_heic(folder: Path, depth: int) -> Path:
    pillow_heif.options.SAVE_HDR_TO_12_BIT = depth == 12
    deep = picture().astype(np.uint16) * 257
    made = pillow_heif.from_bytes("RGB;16", (deep.shape[1], deep.shape[0]), deep.tobytes())
    made.save(folder / "a.heic", quality=95, chroma=444)
    pillow_heif.options.SAVE_HDR_TO_12_BIT = False
    return folder / "a.heic"


def png_with_codes(folder: Path, codes: tuple[int, int]) -> Path:
    """Write a PNG whose colours are said by four numbers (cICP), as browsers read them."""
    primaries = {9: "bt2020", 12: "smpte432"}[codes[0]]
    transfer = {1: "bt709", 16: "smpte2084", 18: "arib-std-b67"}[codes[1]]
    shown = "bt709" if codes[1] == 1 else "iec61966-2-1"  # HDR becomes sRGB; what is SDR keeps its curve
    linear = f"format=gbrp,setparams=color_trc={shown}:color_primaries=bt709,zscale=t=linear:npl=203,format=gbrpf32le"
    chain = f"{linear},zscale=p={primaries},zscale=t={transfer}:npl=203,format=gbrp"
    path = clip(folder / "plain.png", "-frames:v", "1", "-update", "1", "-pix_fmt", "rgb24", chain=chain, frames=1)
    with Image.open(path) as image:  # without the chunks of FFmpeg's own
        Image.fromarray(np.asarray(image)).save(path)
    data, body = path.read_bytes(), b"cICP" + bytes((*codes, 0, 1))
    made = folder / "a.png"
    made.write_bytes(data[:33] + b"\0\0\0\4" + body + zlib.crc32(body).to_bytes(4) + data[33:])
    return made
