"""The clips of the table: containers and codecs, and what metadata says about the pictures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.media.drawn import AS_BT709, FPS, FRAMES, HDR_TAGS, SIZE, clip, picture, to_hdr
from tests.media.reference import HDR_CHAIN, WIDE_CHAIN, ffmpeg

X264 = ("-c:v", "libx264", "-crf", "4", "-preset", "veryfast")
X265 = ("-c:v", "libx265", "-crf", "4", "-preset", "ultrafast", "-x265-params", "log-level=none")
VP9 = ("-c:v", "libvpx-vp9", "-crf", "4", "-b:v", "0", "-deadline", "realtime", "-cpu-used", "8")
AV1 = ("-c:v", "libsvtav1", "-crf", "4", "-preset", "10", "-svtav1-params", "lp=1")
SOFT = ("-q:v", "1", "-qmin", "1")


@dataclass(frozen=True)
class Clip:
    """A clip that is made, and how FFmpeg is to read it.

    Attributes:
        name: Which it is.
        make: Writes it into a folder; where it is.
        chain: FFmpeg's filters with which ours is compared.
    """

    name: str
    make: Callable[[Path], Path]
    chain: str = ""


CODECS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("mp4", "h264", X264),
    ("mp4", "h264 10 bit", (*X264, "-pix_fmt", "yuv420p10le")),
    ("mp4", "h264 4:2:2", (*X264, "-pix_fmt", "yuv422p")),
    ("mp4", "h264 4:4:4", (*X264, "-pix_fmt", "yuv444p")),
    ("mp4", "h264 b-frames", ("-c:v", "libx264", "-crf", "4", "-bf", "4")),
    ("mp4", "hevc", (*X265, "-tag:v", "hvc1")),
    ("mp4", "av1", AV1),
    ("mp4", "vp9", VP9),
    ("mp4", "mpeg4", ("-c:v", "mpeg4", *SOFT)),
    ("mp4", "fragmented", (*X264, "-movflags", "frag_keyframe+empty_moov")),
    ("mov", "prores", ("-c:v", "prores_ks", "-profile:v", "3")),
    ("mov", "prores 4444", ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuv444p10le")),
    ("mov", "mjpeg", ("-c:v", "mjpeg", *SOFT, "-pix_fmt", "yuvj444p")),
    ("mov", "png", ("-c:v", "png")),
    ("mov", "qtrle", ("-c:v", "qtrle")),
    ("mov", "uyvy", ("-c:v", "rawvideo", "-pix_fmt", "uyvy422")),
    ("mov", "v210", ("-c:v", "v210")),
    ("mov", "cineform", ("-c:v", "cfhd", "-pix_fmt", "yuv422p10le", "-quality", "film3+")),
    ("mkv", "ffv1", ("-c:v", "ffv1")),
    ("mkv", "ffv1 16 bit", ("-c:v", "ffv1", "-pix_fmt", "yuv420p16le")),
    ("mkv", "vp8", ("-c:v", "libvpx", "-crf", "4", "-b:v", "8M", "-deadline", "realtime")),
    ("mkv", "mpeg2", ("-c:v", "mpeg2video", *SOFT)),
    ("mkv", "theora", ("-c:v", "libtheora", "-q:v", "10")),
    ("mkv", "utvideo", ("-c:v", "utvideo", "-pix_fmt", "gbrp")),
    ("mkv", "wmv2", ("-c:v", "wmv2", *SOFT)),
    ("webm", "vp9", VP9),
    ("webm", "vp9 4:4:4", (*VP9, "-pix_fmt", "yuv444p")),
    ("webm", "av1", AV1),
    ("avi", "mpeg4", ("-c:v", "mpeg4", *SOFT)),
    ("avi", "huffyuv", ("-c:v", "huffyuv", "-pix_fmt", "yuv422p")),
    ("avi", "raw", ("-c:v", "rawvideo", "-pix_fmt", "bgr24")),
    ("ts", "h264", X264),
    ("ts", "hevc", X265),
    ("ts", "mpeg2", ("-c:v", "mpeg2video", *SOFT)),
    ("flv", "h264", X264),
    ("flv", "flv", ("-c:v", "flv", *SOFT)),
    ("mpg", "mpeg2", ("-c:v", "mpeg2video", *SOFT)),
    ("wmv", "wmv2", ("-c:v", "wmv2", *SOFT)),
    ("mxf", "mpeg2", ("-c:v", "mpeg2video", *SOFT)),
    ("ogv", "theora", ("-c:v", "libtheora", "-q:v", "10")),
    ("3gp", "h264", X264),
    ("gif", "gif", ("-loop", "0")),
    ("apng", "apng", ("-plays", "0")),
)


def clips() -> Iterator[Clip]:
    """Give every clip of the table."""
    for suffix, name, codec in CODECS:
        yield Clip(f"{suffix} {name}", partial(_plain, suffix=suffix, codec=codec))
    for suffix in ("mp4", "mov", "mkv"):
        for turn in (0, 90, 180, 270):
            for flip in ("", "h", "v"):
                yield Clip(f"{suffix} turned {turn} {flip}flip", partial(_turned, suffix=suffix, turn=turn, flip=flip))
    yield from _aspects()
    yield from _ranges_and_matrices()
    yield from _high_dynamic_range()
    yield from _times()
    yield from _transparent()
    for suffix in ("mp4", "mkv"):
        yield Clip(f"{suffix} default track", partial(_second_by_default, suffix=suffix))
    dnxhr = ("-c:v", "dnxhd", "-profile:v", "dnxhr_hq", "-pix_fmt", "yuv422p")
    yield Clip("mov dnxhr", partial(_plain, suffix="mov", codec=dnxhr, size=(256, 160)))
    for size in ((190, 126), (318, 242), (128, 130)):
        yield Clip(f"mp4 {size[0]}x{size[1]}", partial(_plain, suffix="mp4", codec=X264, size=size))


def _plain(folder: Path, suffix: str, codec: tuple[str, ...], **options: Any) -> Path:
    return clip(folder / f"a.{suffix}", *codec, **options)


def _turned(folder: Path, suffix: str, turn: int, flip: str, *, codec: tuple[str, ...] = X264, chain: str = "") -> Path:
    plain = clip(folder / f"plain.{'mp4' if suffix == 'mkv' else suffix}", *codec, chain=chain, frames=10)
    flips = (f"-display_{flip}flip",) if flip else ()
    ffmpeg("-display_rotation", str(turn), *flips, "-i", plain, "-c", "copy", folder / f"a.{suffix}")
    return folder / f"a.{suffix}"


def _aspects() -> Iterator[Clip]:
    for suffix, aspect in (("mp4", "2"), ("mkv", "4/3"), ("mov", "3/4"), ("avi", "2"), ("ts", "4/3")):
        yield Clip(
            f"{suffix} aspect {aspect}", partial(_plain, suffix=suffix, codec=X264, chain=f"setsar={aspect}", frames=10)
        )
    taller = "scale=iw:trunc(ih/sar/2+0.5)*2:flags=bicubic+accurate_rnd+full_chroma_int,setsar=1"
    yield Clip("mov aspect and turned", partial(_turned, suffix="mov", turn=90, flip="", chain="setsar=4/3"), taller)


def _ranges_and_matrices() -> Iterator[Clip]:
    for matrix in ("bt709", "smpte170m", "bt2020nc", "smpte240m", "fcc"):
        for limits in ("tv", "pc"):
            chain = f"scale=out_color_matrix={matrix}:out_range={limits}:flags=accurate_rnd+full_chroma_int"
            chain += f",format=yuv444p,setparams=colorspace={matrix}:range={limits}"
            for suffix, codec in (("mp4", X264), ("mkv", X265)):
                if suffix == "mp4" or matrix in ("bt709", "bt2020nc"):
                    yield Clip(
                        f"{suffix} {matrix} {limits}",
                        partial(_plain, suffix=suffix, codec=codec, chain=chain, frames=10),
                    )
    rgb = ("-c:v", "libx264rgb", "-crf", "4")
    yield Clip("mkv h264 rgb", partial(_plain, suffix="mkv", codec=rgb, frames=10))
    for primaries in ("bt2020", "smpte432"):
        chain = f"{AS_BT709},zscale=p={primaries}:t=bt709:m=bt709:r=limited,format=yuv444p10le"
        yield Clip(
            f"mp4 SDR in {primaries}", partial(_plain, suffix="mp4", codec=X264, chain=chain, frames=10), WIDE_CHAIN
        )


def _high_dynamic_range() -> Iterator[Clip]:
    for transfer in ("arib-std-b67", "smpte2084"):
        for suffix, codec in (
            ("mp4", X265),
            ("mov", ("-c:v", "prores_ks")),
            ("mkv", ("-c:v", "ffv1")),
            ("webm", (*VP9, "-profile:v", "2")),
            ("mp4", AV1),
            ("mkv", X264),
        ):
            make = partial(_plain, suffix=suffix, codec=codec, chain=to_hdr(transfer), frames=10)
            yield Clip(f"{suffix} {codec[1]} {transfer}", make, HDR_CHAIN)
        full = to_hdr(transfer).replace("r=limited", "r=full")
        yield Clip(
            f"mkv full range {transfer}", partial(_plain, suffix="mkv", codec=X265, chain=full, frames=9), HDR_CHAIN
        )
    chain = f"{AS_BT709},format=yuv420p10le,{HDR_TAGS}=arib-std-b67"
    make = partial(_turned, suffix="mov", turn=90, flip="h", codec=X265, chain=chain)
    yield Clip("mov HLG turned and mirrored", make, HDR_CHAIN)


def _times() -> Iterator[Clip]:
    for suffix in ("mp4", "mov", "mkv"):
        for start in ("0.2", "0.5"):
            yield Clip(f"{suffix} cut at {start}", partial(_cut, suffix=suffix, start=start))
    for rate in ("24000/1001", "12", "60", "30000/1001"):
        yield Clip(f"mp4 {rate} a second", partial(_plain, suffix="mp4", codec=X264, chain=f"fps={rate}"))
    for suffix in ("mp4", "mkv"):
        late = (*X264, "-output_ts_offset", "3")
        yield Clip(f"{suffix} begins late", partial(_plain, suffix=suffix, codec=late))
        uneven = "select='not(between(n,5,9))+eq(n,7)',setpts=N/FRAME_RATE/TB+gt(N\\,10)*0.4/TB"
        yield Clip(
            f"{suffix} uneven", partial(_plain, suffix=suffix, codec=(*X264, "-fps_mode", "passthrough"), chain=uneven)
        )
    yield Clip("mp4 sound before", partial(_with_sound, suffix="mp4", offset="0.3"))
    yield Clip("mov sound after", partial(_with_sound, suffix="mov", offset="-0.3"))


def _cut(folder: Path, suffix: str, start: str) -> Path:
    """Cut without encoding anew: what is before the start is there, and the edit list or the times leave it out."""
    codec = ("-c:v", "libx264", "-crf", "4", "-g", "30", "-bf", "2")
    plain = clip(folder / "plain.mp4", *codec)
    ffmpeg("-ss", start, "-i", plain, "-c", "copy", folder / f"a.{suffix}")
    return folder / f"a.{suffix}"


def _with_sound(folder: Path, suffix: str, offset: str) -> Path:
    plain = clip(folder / "plain.mp4", *X264)
    sound = ("-f", "lavfi", "-i", "sine=d=1.2:r=48000")
    ffmpeg("-itsoffset", offset, "-i", plain, *sound, "-c:v", "copy", "-c:a", "aac", folder / f"a.{suffix}")
    return folder / f"a.{suffix}"


def _transparent() -> Iterator[Clip]:
    for suffix, name, codec in (
        ("mov", "prores", ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le")),
        ("mov", "qtrle", ("-c:v", "qtrle", "-pix_fmt", "argb")),
        ("mov", "png", ("-c:v", "png", "-pix_fmt", "rgba")),
        ("mkv", "ffv1", ("-c:v", "ffv1", "-pix_fmt", "yuva420p")),
        ("apng", "apng", ("-plays", "0", "-pix_fmt", "rgba")),
        ("gif", "gif", ()),
    ):
        yield Clip(f"{suffix} transparent {name}", partial(_see_through, suffix=suffix, codec=codec))


def _see_through(folder: Path, suffix: str, codec: tuple[str, ...]) -> Path:
    def frames() -> Iterator[Any]:
        for index in range(FRAMES):
            alpha = np.full((SIZE[1], SIZE[0], 1), 255, np.uint8)
            alpha[: SIZE[1] // 3, : SIZE[0] // 3] = 0 if suffix == "gif" else 128
            yield np.concatenate([picture(at=index / FRAMES), alpha], axis=2)

    return clip(folder / f"a.{suffix}", *codec, source=frames())


def _second_by_default(folder: Path, suffix: str) -> Path:
    first = clip(folder / "first.mp4", *X264, chain="negate")
    second = clip(folder / "second.mp4", *X264)
    both = ("-map", "0:v", "-map", "1:v", "-c", "copy", "-disposition:v:0", "0", "-disposition:v:1", "default")
    ffmpeg("-i", first, "-i", second, *both, folder / f"a.{suffix}")
    return folder / f"a.{suffix}"


assert FPS == 25  # the cuts above are whole frames
