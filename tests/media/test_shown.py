"""Clips and pictures become what every player and browser shows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from ltx_studio.errors import RequestError
from ltx_studio.media import (
    Clip,
    ClipFile,
    InputPreparer,
    Picture,
    PictureFile,
    SoundFile,
    WholeFile,
    probe_clip,
    probe_picture,
    probe_sound,
)
from tests.media import drawn, reference
from tests.media.drawn import CORNERS, FPS, HDR_TAGS, clip, corners, picture, profiled, to_hdr
from tests.media.tiles import write_grid

FILES = Path(__file__).parent / "files"
RED, GREEN, BLUE, YELLOW = CORNERS
Shown = Callable[[Path], Any]


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    """Return (height, width, 3) uint8: the first picture of a clip, or the picture, as a graph gets it."""

    def show(path: Path) -> Any:
        stager = InputPreparer(tmp_path / "input", tmp_path / "loras")
        if path.suffix in (".mp4", ".mov", ".mkv", ".webm", ".gif", ".apng") or path.stem == "moving":
            found: Clip | Picture = probe_clip(path)
            name = stager(ClipFile(path, 0, 9, FPS, found.width, found.height))
            with av.open(tmp_path / "input" / name) as container:
                pixels = next(container.decode(video=0)).to_ndarray(format="rgb24")
        else:
            found = probe_picture(path)
            with Image.open(tmp_path / "input" / stager(PictureFile(path))) as image:
                pixels = np.asarray(image)
        assert (found.width, found.height) == (pixels.shape[1], pixels.shape[0])
        return pixels

    return show


def assert_corners(pixels: Any, expected: Any = CORNERS, *, within: float = 4) -> None:
    assert np.abs(corners(pixels) - np.array(expected)).max() <= within, corners(pixels)


@pytest.mark.parametrize("name", ["icc-p3.jpg", "icc-adobe.jpg", "icc-prophoto.jpg"])
def test_a_picture_with_a_profile_keeps_its_colours(name: str, shown: Shown) -> None:
    assert_corners(shown(FILES / name), within=7 if "prophoto" in name else 5)  # a JPEG of quality 90 or so


@pytest.mark.parametrize(
    ("space", "suffix"),
    [
        *((space, suffix) for space in ("ProPhoto", "Rec. 2020") for suffix in (".png", ".webp", ".tif", ".heic")),
        *(("Display P3", suffix) for suffix in (".png", ".webp", ".tif", ".heic", ".avif")),
    ],
)
def test_every_format_with_a_profile_keeps_its_colours(space: str, suffix: str, shown: Shown, tmp_path: Path) -> None:
    pillow_heif.register_heif_opener()
    options: dict[str, Any] = {".webp": {"lossless": True}, ".avif": {"quality": 100, "subsampling": "4:4:4"}}
    exact: dict[str, Any] = {".heic": {"quality": -1, "chroma": 444, "matrix_coefficients": 0}}
    path = profiled(tmp_path / f"a{suffix}", space, **options.get(suffix, {}), **exact.get(suffix, {}))

    lossy = suffix == ".avif"  # in a wider space, an error of its numbers is a larger one of colour
    assert_corners(shown(path), within=6 if lossy else 4)


def test_a_gray_picture_with_a_profile_keeps_its_tone(shown: Shown, tmp_path: Path) -> None:
    gray = np.tile(np.arange(0, 256, 2, dtype=np.uint8), (64, 1))
    for gamma, alpha in ((1.8, False), (2.2, False), (1.8, True)):
        image = Image.fromarray(drawn.in_space(gray, f"Gray {gamma}").astype(np.uint8))
        if alpha:
            image.putalpha(255)
        path = tmp_path / f"{gamma}{alpha}.png"
        image.save(path, icc_profile=drawn.profile(f"Gray {gamma}"))

        assert np.abs(shown(path)[..., 1].astype(int) - gray)[:, 8:].max() <= 3


@pytest.mark.parametrize("broken", [b"", b"nonsense", b"\0" * 200, None])
def test_a_profile_that_cannot_be_used_is_ignored(broken: bytes | None, shown: Shown, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(picture()).save(path, icc_profile=drawn.profile("Gray 1.8") if broken is None else broken)

    assert_corners(shown(path), within=0)


def test_a_half_transparent_picture_with_a_profile_is_shown_on_white(shown: Shown, tmp_path: Path) -> None:
    pixels = drawn.in_space(picture(), "Display P3").astype(np.uint8)
    path = tmp_path / "a.png"
    image = Image.fromarray(pixels)
    image.putalpha(128)
    image.save(path, icc_profile=drawn.profile("Display P3"))

    assert_corners(shown(path), 255 - (255 - np.array(CORNERS)) * 128 / 255)


def test_a_mirrored_clip_is_mirrored(shown: Shown) -> None:
    assert_corners(shown(FILES / "hflip.mp4"), (GREEN, RED, YELLOW, BLUE))


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", ["", "-display_hflip", "-display_vflip"])
def test_a_clip_is_shown_as_its_matrix_says(flip: str, turn: int, suffix: str, shown: Shown, tmp_path: Path) -> None:
    plain = clip(tmp_path / "plain.mp4", "-c:v", "libx264", "-crf", "4", frames=10)
    path = tmp_path / f"turned{suffix}"
    matrix = ("-display_rotation", str(turn), *filter(None, [flip]))
    reference.ffmpeg(*matrix, "-i", plain, "-c", "copy", path)

    expected = reference.pictures(path)[0]
    pixels = shown(path)
    assert pixels.shape == expected.shape
    assert_corners(pixels, corners(expected))


@pytest.mark.parametrize(("name", "kind"), [("hlg.mp4", "HLG"), ("pq.mp4", "PQ")])
def test_a_clip_in_hdr_keeps_its_colours_and_is_said_to_be_hdr(name: str, kind: str, shown: Shown) -> None:
    pixels = shown(FILES / name)

    assert_corners(pixels, within=15)
    assert_corners(pixels, corners(reference.pictures(FILES / name, reference.HDR_CHAIN)[0]))
    assert any(kind in remark for remark in probe_clip(FILES / name).remarks)


@pytest.mark.parametrize("transfer", ["arib-std-b67", "smpte2084"])
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mov", ("-c:v", "prores_ks")),
        (".mkv", ("-c:v", "ffv1")),
        (".mp4", ("-c:v", "libx265", "-crf", "4", "-x265-params", "log-level=none")),
    ],
)
def test_hdr_of_every_codec_is_converted(
    suffix: str, codec: tuple[str, ...], transfer: str, shown: Shown, tmp_path: Path
) -> None:
    path = clip(tmp_path / f"a{suffix}", *codec, chain=to_hdr(transfer), frames=10)

    pixels = shown(path)

    assert_corners(pixels, within=8)
    assert_corners(pixels, corners(reference.pictures(path, reference.HDR_CHAIN)[0]))


@pytest.mark.parametrize("transfer", ["arib-std-b67", "smpte2084"])
def test_hdr_that_says_only_its_transfer_is_taken_for_bt2020(transfer: str, shown: Shown, tmp_path: Path) -> None:
    untagged = f"{to_hdr(transfer)},setparams=color_primaries=unknown:colorspace=unknown"

    assert_corners(shown(clip(tmp_path / "a.mkv", "-c:v", "ffv1", chain=untagged, frames=9)), within=8)


def test_light_brighter_than_white_keeps_its_steps(shown: Shown, tmp_path: Path) -> None:
    ramp = "geq=lum='64+876*X/W':cb=512:cr=512,format=yuv420p10le"
    path = clip(tmp_path / "a.mkv", "-c:v", "ffv1", chain=f"format=yuv420p10le,{ramp},{HDR_TAGS}=smpte2084", frames=9)

    pixels, expected = shown(path)[64, :, 1].astype(int), reference.pictures(path, reference.HDR_CHAIN)[0, 64, :, 1]

    assert np.abs(pixels - expected).max() <= 4
    assert (np.diff(pixels) >= -1).all()


def test_a_picture_of_a_phone_is_read_whatever_its_name(shown: Shown, tmp_path: Path) -> None:
    named = tmp_path / "heic-named.jpg"
    named.write_bytes((FILES / "phone.heic").read_bytes())

    for path in (FILES / "phone.heic", named):
        assert_corners(shown(path))


def test_a_picture_of_a_phone_for_a_node_of_a_workflow_becomes_a_png(tmp_path: Path) -> None:
    name = InputPreparer(tmp_path / "in", tmp_path)(WholeFile(FILES / "phone.heic"))

    with Image.open(tmp_path / "in" / name) as image:
        assert image.format == "PNG"
        assert_corners(np.asarray(image))


@pytest.mark.parametrize("size", [(512, 512), (600, 400), (300, 700)])
@pytest.mark.parametrize("turn", [0, 1, 3])
def test_a_picture_in_tiles_is_put_together(turn: int, size: tuple[int, int], shown: Shown, tmp_path: Path) -> None:
    pixels = picture(size)

    made = shown(write_grid(tmp_path / "a.heic", Image.fromarray(pixels), turn=turn))

    expected = np.rot90(pixels, turn)
    assert made.shape == expected.shape
    assert_corners(made, corners(expected))
    assert np.abs(made.astype(int) - expected).mean() <= 4


@pytest.mark.parametrize("orientation", [1, 2, 3, 6, 8])
def test_a_heic_is_set_upright_once(orientation: int, shown: Shown, tmp_path: Path) -> None:
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image, path = Image.fromarray(picture()), tmp_path / "a.heic"
    image.info["exif"] = exif.tobytes()
    image.save(path, quality=95)
    jpeg = tmp_path / "a.jpg"
    image.save(jpeg, quality=100, subsampling=0, exif=exif)

    pixels, expected = shown(path), shown(jpeg)

    assert pixels.shape == expected.shape
    assert_corners(pixels, corners(expected))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_set_upright_once(orientation: int, shown: Shown, tmp_path: Path) -> None:
    image, exif = Image.fromarray(picture()), Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.tif", tiffinfo=exif)
    image.save(tmp_path / "a.png", exif=exif)

    assert np.array_equal(shown(tmp_path / "a.tif"), shown(tmp_path / "a.png"))


def test_a_moving_gif_is_a_clip(shown: Shown) -> None:
    found = probe_clip(FILES / "moving.gif")
    expected = reference.pictures(FILES / "moving.gif")[0]

    assert found.seconds == pytest.approx(1.0, abs=0.05)
    assert_corners(shown(FILES / "moving.gif"), corners(expected))


@pytest.mark.parametrize("suffix", [".gif", ".apng", ".webp", ".avif", ".png"])
@pytest.mark.parametrize("durations", [120, (50, 200, 300, 50, 100, 100, 100, 100)])
def test_a_moving_picture_is_a_clip_with_its_own_times(suffix: str, durations: Any, tmp_path: Path) -> None:
    first, *others = [Image.fromarray(np.full((96, 128, 3), 20 + 30 * number, np.uint8)) for number in range(8)]
    path = tmp_path / f"moving{suffix}"
    written = {".apng": "PNG", ".png": "PNG"}.get(suffix)
    lossless = {"lossless": True} if suffix == ".webp" else {}
    first.save(path, format=written, save_all=True, append_images=others, duration=durations, loop=0, **lossless)
    each = [durations] * 8 if isinstance(durations, int) else durations

    assert probe_clip(path).seconds == pytest.approx(sum(each) / 1000, abs=0.05)
    name = InputPreparer(tmp_path / "in", tmp_path)(ClipFile(path, 0, 25, FPS, 128, 96))
    with av.open(tmp_path / "in" / name) as container:
        shades = [frame.to_ndarray(format="rgb24")[40, 60, 0] for frame in container.decode(video=0)]

    ends = np.cumsum(each) / 1000
    moments = (np.arange(25) + 0.5) / FPS
    expected = 20 + 30 * np.minimum(np.searchsorted(ends, moments, side="right"), 7)
    near = np.abs(ends[None] - moments[:, None]).min(axis=1) < 0.011  # a GIF counts in hundredths
    assert np.abs(np.array(shades, dtype=int) - expected)[~near].max() <= 4
    assert any("animation" in remark for remark in probe_picture(path).remarks)


@pytest.mark.parametrize("suffix", [".gif", ".apng", ".webp"])
def test_a_part_far_into_a_moving_picture_is_found(suffix: str, tmp_path: Path) -> None:
    first, *others = [Image.fromarray(np.full((48, 64, 3), 20 + number, np.uint8)) for number in range(180)]
    path = tmp_path / f"long{suffix}"
    lossless: Any = {"lossless": True} if suffix == ".webp" else {}
    written = "PNG" if suffix == ".apng" else None
    first.save(path, format=written, save_all=True, append_images=others, duration=40, **lossless)

    name = InputPreparer(tmp_path / "in", tmp_path)(ClipFile(path, 6.0, 9, FPS, 64, 48))

    with av.open(tmp_path / "in" / name) as container:
        shades = [int(frame.to_ndarray(format="rgb24")[20, 20, 0]) for frame in container.decode(video=0)]
    assert np.abs(np.array(shades) - np.arange(170, 179)).max() <= 2


@pytest.mark.parametrize(("suffix", "codec"), [("webm", "libvpx-vp9"), ("mkv", "libvpx"), ("mov", "prores_ks")])
def test_what_is_half_transparent_in_a_clip_is_on_white(suffix: str, codec: str, shown: Shown, tmp_path: Path) -> None:
    pixels = np.concatenate([picture(), np.full((*picture().shape[:2], 1), 128, np.uint8)], axis=2)
    fine = ("-profile:v", "4444") if codec == "prores_ks" else ("-b:v", "4M", "-crf", "4", "-auto-alt-ref", "0")
    kind = "yuva444p10le" if codec == "prores_ks" else "yuva420p"
    path = clip(tmp_path / f"a.{suffix}", "-c:v", codec, *fine, "-pix_fmt", kind, source=[pixels] * 10)

    assert_corners(shown(path), 255 - (255 - np.array(CORNERS)) * 128 / 255)


def test_what_is_transparent_in_a_moving_picture_is_on_white(tmp_path: Path) -> None:
    for suffix in (".gif", ".png", ".webp"):
        frames = [Image.new("RGBA", (96, 64), (200, 30, 30, 255)) for _ in range(4)]
        for number, frame in enumerate(frames):
            frame.paste((0, 0, 0, 0), (20 + number, 10, 60, 50))
        path = tmp_path / f"a{suffix}"
        lossless: Any = {"lossless": True} if suffix == ".webp" else {}
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, disposal=2, **lossless)
        name = InputPreparer(tmp_path / "in", tmp_path)(ClipFile(path, 0, 9, FPS, 96, 64))
        with av.open(tmp_path / "in" / name) as container:
            pixels = next(container.decode(video=0)).to_ndarray(format="rgb24")

        assert pixels[30, 40].min() >= 250, suffix
        assert np.abs(pixels[4, 4].astype(int) - (200, 30, 30)).max() <= 4, suffix


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".gif", ".avif", ".heic"])
def test_a_still_picture_is_no_clip_and_no_sound_and_the_words_say_what_it_is(suffix: str, tmp_path: Path) -> None:
    pillow_heif.register_heif_opener()
    path = tmp_path / f"still{suffix}"
    Image.fromarray(picture()).save(path)

    for probe, wanted in ((probe_clip, "video"), (probe_sound, "sound file")):
        with pytest.raises(RequestError, match=rf"still\{suffix} is a picture, not a {wanted}") as caught:
            probe(path)
        assert "Use it as a picture" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.jxl",
            b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40),
            "a.jxl is a JPEG XL file, which is not supported",
        ),
        ("a.png", b"\xff\x0a" + bytes(40), "a.png is a JPEG XL file"),
        ("a.jpg", b"%PDF-1.7\n" + bytes(40), "a.jpg is a PDF document"),
    ],
)
def test_what_is_not_read_is_named(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(RequestError, match=said) as caught:
        probe_picture(path)
    assert "PNG" in caught.value.hint


def test_clips_and_sounds_are_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"hlg\.mp4 is a video, not a picture"):
        probe_picture(FILES / "hlg.mp4")
    path = tmp_path / "a.wav"
    reference.ffmpeg("-f", "lavfi", "-i", "sine=d=1", path)
    for probe in (probe_picture, probe_clip):
        with pytest.raises(RequestError, match=r"a\.wav is a sound file, not a"):
            probe(path)


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_f32le", "flac", "aac", "libopus"])
def test_one_channel_stays_as_loud(codec: str, tmp_path: Path) -> None:
    suffix = {"flac": "flac", "aac": "m4a", "libopus": "ogg"}.get(codec, "wav")
    path = tmp_path / f"a.{suffix}"
    reference.ffmpeg("-f", "lavfi", "-i", "sine=d=1:r=48000", "-ac", "1", "-c:a", codec, path)

    name = InputPreparer(tmp_path / "in", tmp_path)(SoundFile(path, 0, 1))

    given, made = reference.sound(path), reference.sound(tmp_path / "in" / name)
    for side in (0, 1):
        assert 20 * np.log10(made[:, side].std() / given[:, 0].std()) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("b_frames", [0, 3])
@pytest.mark.parametrize(
    "edits",
    [[(0.5, 0.3)], [(0.4, 0.0), (0.4, 0.8)], [(0.4, -1), (0.8, 0.2)], [(0.4, 0.4), (0.4, 0.4)]],
    ids=["a part", "two parts", "after a pause", "one part twice"],
)
def test_a_clip_is_played_by_its_edit_list(edits: list[tuple[float, float]], b_frames: int, tmp_path: Path) -> None:
    shades = [
        np.full((64, 96, 4), 20 + 4 * index, np.uint8) | np.array((0, 0, 0, 255), np.uint8) for index in range(30)
    ]
    codec = ("-c:v", "libx264", "-crf", "4", "-bf", str(b_frames), "-g", "10")
    plain = clip(tmp_path / "plain.mp4", *codec, chain="format=yuv420p", size=(96, 64), source=shades)
    path = drawn.with_edits(plain, tmp_path / "edited.mp4", edits)
    expected = reference.pictures(path)[:, 30, 40, 0].astype(int)

    found = probe_clip(path)
    name = InputPreparer(tmp_path / "in", tmp_path)(ClipFile(path, 0, 25, FPS, 96, 64, hold=False))
    with av.open(tmp_path / "in" / name) as container:
        made = [int(frame.to_ndarray(format="rgb24")[30, 40, 0]) for frame in container.decode(video=0)]

    assert found.seconds == pytest.approx(reference.seconds(path), abs=1 / FPS)
    assert np.abs(np.array(made)[[0, -1]] - expected[[0, -1]]).max() <= 4
    assert set(np.round((np.array(made) - 20) / 4)) == set(np.round((expected - 20) / 4))
