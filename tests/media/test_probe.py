import json
import os
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltx_studio.errors import RequestError
from ltx_studio.media import Clip, Picture, Sound, check_lora, probe_clip, probe_picture, probe_sound
from tests.media.drawn import clip
from tests.media.reference import ffmpeg
from tests.samples import write_film, write_picture, write_sound


def test_a_picture_is_measured_as_one_sees_it(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # taken with the camera on its side
    path = write_picture(tmp_path / "phone.jpg", (64, 48), exif=turned)

    assert probe_picture(path) == Picture(48, 64)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("text.png", b"hello", "text.png is not a picture"),
        ("empty.png", b"", "empty.png is empty"),
        ("half.png", None, "half.png is damaged: "),
    ],
)
def test_what_is_no_picture_is_refused(name: str, content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is None:
        content = write_picture(path, (256, 256)).read_bytes()[:4000]
    path.write_bytes(content)

    with pytest.raises(RequestError, match=said) as caught:
        probe_picture(path)

    assert caught.value.hint


def test_a_picture_of_one_pixel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="1×1 pixels, which is too small"):
        probe_picture(write_picture(tmp_path / "dot.png", (1, 1)))


def test_a_picture_of_twenty_megapixels_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (5472, 3648), "red").save(path)

    assert probe_picture(path) == Picture(5472, 3648)


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(path)

    with pytest.raises(RequestError, match="exceeds the limit of 150 megapixels"):
        probe_picture(path)


@pytest.mark.parametrize("probe", [probe_picture, probe_sound, probe_clip])
def test_a_missing_file_and_a_folder_are_named(probe: Any, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=f"There is no file {tmp_path / 'gone'}"):
        probe(tmp_path / "gone")
    with pytest.raises(RequestError, match="is a folder"):
        probe(tmp_path)


@pytest.mark.parametrize(
    ("rate", "channels", "remarks"),
    [(48_000, 2, ()), (8_000, 1, ()), (44_100, 6, ("6 channels, mixed to stereo.",))],
)
def test_a_sound_is_measured(rate: int, channels: int, remarks: tuple[str, ...], tmp_path: Path) -> None:
    found = probe_sound(write_sound(tmp_path / "a.wav", 1.5, rate=rate, channels=channels))

    assert found == Sound(1.5, remarks)


def test_the_sound_of_a_video_counts_as_sound(tmp_path: Path) -> None:
    assert probe_sound(write_film(tmp_path / "a.mp4", sound=True)).seconds == pytest.approx(1.0, abs=0.05)


def test_a_sound_of_no_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nothing.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)

    with pytest.raises(RequestError, match=r"nothing\.wav"):
        probe_sound(path)


def test_a_text_file_is_neither_a_sound_nor_a_clip(tmp_path: Path) -> None:
    path = tmp_path / "words.wav"
    path.write_text("hello " * 100)

    with pytest.raises(
        RequestError, match="cannot be read as a sound file: it is damaged, or its format is not supported"
    ):
        probe_sound(path)
    with pytest.raises(RequestError, match="cannot be read as a video: it is damaged, or its format is not supported"):
        probe_clip(path)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.nut", ("-c:a", "flac")),
        ("a.voc", ("-c:a", "pcm_u8")),
        ("a.rm", ("-c:a", "ac3")),
        ("a.mlp", ("-c:a", "mlp", "-strict", "-2")),
        ("a.latm", ("-c:a", "aac")),
        ("a.swf", ("-c:a", "libmp3lame", "-ar", "44100")),
    ],
)
def test_a_sound_of_an_unsupported_kind_is_refused_with_what_to_do(
    name: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=0.5:r=48000", "-ac", "2", *options, tmp_path / name)

    with pytest.raises(RequestError, match=f"^{name} is not a sound file, or its format is not supported") as told:
        probe_sound(tmp_path / name)
    assert told.value.hint == "Use a WAV, MP3, FLAC, OGG or M4A file."


def test_a_clip_of_an_unsupported_kind_is_refused_with_what_to_do(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "color=red:s=720x576:r=25:d=0.2", "-c:v", "dvvideo", tmp_path / "a.dv")

    with pytest.raises(RequestError, match=r"^a\.dv is not a video, or its format is not supported") as told:
        probe_clip(tmp_path / "a.dv")
    assert told.value.hint == "Use an MP4, MOV or WebM file."


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_a_clip_that_is_cut_off_is_refused_without_words_of_the_system(share: float, tmp_path: Path) -> None:
    whole = write_film(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(whole[: round(len(whole) * share)])

    with pytest.raises(RequestError, match="it is damaged, or its format is not supported"):
        probe_clip(tmp_path / "a.mp4")


def test_a_clip_without_sound_holds_no_sound(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="has no sound"):
        probe_sound(write_film(tmp_path / "a.mp4"))


def test_a_clip_is_measured(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", size=(192, 128), frames=30, fps=30, sound=True)

    assert probe_clip(path) == Clip(192, 128, 1.0, True)


def test_a_video_without_pictures_is_refused(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", 0.5).rename(tmp_path / "a.mp4")

    with pytest.raises(RequestError, match="it has no pictures"):
        probe_clip(path)


def test_a_changed_file_is_looked_at_again(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", (64, 64))
    assert probe_picture(path) == Picture(64, 64)

    write_picture(path, (128, 64))

    assert probe_picture(path) == Picture(128, 64)


WIDTH = 128


def write_lora(path: Path, *names: str) -> Path:
    """A header with these layers; they are as wide as the pocket model when they say ``diffusion_model``."""
    widths = {name: WIDTH if name.startswith("diffusion_model") else 64 for name in names}
    layers = {name: {"dtype": "F32", "shape": [4, widths[name]], "data_offsets": [0, 4]} for name in names}
    header = json.dumps(layers).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + np.zeros(1, dtype=np.float32).tobytes())
    return path


def test_a_lora_for_ltx_is_taken(tmp_path: Path) -> None:
    name = "diffusion_model.transformer_blocks.0.attn1.to_q.lora_A.weight"

    check_lora(write_lora(tmp_path / "a.safetensors", name), WIDTH)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("lora_unet_down_blocks_0_attentions_0.lora_down.weight",), "for another kind of model"),
        (("unet.down_blocks.0.transformer_blocks.0.attn1.to_q.lora_A.weight",), "for another kind of model"),
        (("transformer.transformer_blocks.0.attn.to_q.lora_A.weight",), "for another kind of model"),
        (("transformer_blocks.0.attn1.to_q.lora_A.weight",), "a model of another size"),
        (("model.diffusion_model.transformer_blocks.0.attn1.to_q.weight",), "is not a LoRA"),
        ((), "is not a LoRA"),
    ],
)
def test_what_is_no_lora_for_ltx_is_refused(names: tuple[str, ...], said: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=said):
        check_lora(write_lora(tmp_path / "a.safetensors", *names), WIDTH)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x10\0\0\0\0\0\0\0{not json at all"])
def test_a_file_that_is_no_safetensors_is_no_lora(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)

    with pytest.raises(RequestError, match="is not a LoRA"):
        check_lora(path, WIDTH)


def test_lengths_are_those_of_the_packets_and_not_of_the_header(tmp_path: Path) -> None:
    late = write_film(tmp_path / "a.mkv", frames=48, sound=True, sound_at=1.0)

    assert probe_clip(late).seconds == pytest.approx(2.0, abs=0.05)
    assert probe_sound(late).seconds == pytest.approx(2.0, abs=0.05)

    whole = write_sound(tmp_path / "a.wav", 3.0)
    cut = tmp_path / "cut.wav"
    cut.write_bytes(whole.read_bytes()[: 44 + 48_000])
    assert probe_sound(cut).seconds == pytest.approx(0.5, abs=0.05)


def test_pictures_without_times_are_refused(tmp_path: Path) -> None:
    raw = write_film(tmp_path / "a.h264")

    with pytest.raises(RequestError, match="has no timestamps for its frames"):
        probe_clip(raw)


def test_a_picture_is_no_clip(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"a\.png is a picture, not a video"):
        probe_clip(write_picture(tmp_path / "a.png", (64, 64)))


def test_a_clip_is_measured_with_square_pixels(tmp_path: Path) -> None:
    found = probe_clip(write_film(tmp_path / "a.mp4", size=(160, 240), aspect=2))

    assert (found.width, found.height) == (320, 240)


@pytest.mark.parametrize("probe", [probe_picture, probe_sound, probe_clip, lambda path: check_lora(path, WIDTH)])
def test_what_is_no_ordinary_file_is_refused_at_once(probe: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")

    for path, said in (
        (tmp_path / "pipe.wav", "not a regular file"),
        (Path("~no such user/a.png"), r"is not a valid path|There is no file"),
        (Path("a\0b"), "is not a valid path"),
    ):
        with pytest.raises(RequestError, match=said):
            probe(path)


def test_text_and_playlists_are_not_played(tmp_path: Path) -> None:
    text, playlist = tmp_path / "a.txt", tmp_path / "a.m3u8"
    text.write_text("hello " * 1000)
    film = write_film(tmp_path / "a.mp4")
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{film}\n#EXT-X-ENDLIST\n")

    for path in (text, playlist):
        with pytest.raises(RequestError, match=r"cannot be read as a video|is not a video"):
            probe_clip(path)


def test_more_channels_than_can_be_mixed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="has 9 channels"):
        probe_sound(write_sound(tmp_path / "a.wav", 0.5, channels=9))


@pytest.mark.parametrize("layer", ["5", "{}", '{"shape": []}'])
def test_a_lora_with_a_damaged_header_is_refused(layer: str, tmp_path: Path) -> None:
    header = f'{{"diffusion_model.transformer_blocks.0.attn1.to_q.lora_A.weight": {layer}}}'.encode()
    for text in (header, b"[" * 400_000):
        path = tmp_path / f"{len(text)}.safetensors"
        path.write_bytes(len(text).to_bytes(8, "little") + text)
        with pytest.raises(RequestError, match=r"damaged LoRA|is not a LoRA"):
            check_lora(path, WIDTH)


def test_a_clip_whose_transparency_cannot_be_read_says_so(tmp_path: Path) -> None:
    pixels = np.full((128, 192, 4), 128, np.uint8)
    codec = ("-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1", "-pix_fmt")
    layered = clip(tmp_path / "a.mov", *codec, "yuva420p", source=[pixels] * 8)
    plain = clip(tmp_path / "plain.mov", *codec, "yuv420p", source=[pixels] * 8)

    assert any("transparency" in remark for remark in probe_clip(layered).remarks)
    assert not probe_clip(plain).remarks


@pytest.mark.parametrize("probe", [probe_picture, probe_sound, probe_clip])
def test_an_empty_file_is_called_empty(probe: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()

    with pytest.raises(RequestError, match=r"^empty\.mp4 is empty\.$") as caught:
        probe(path)

    assert caught.value.hint.startswith("Use a")


@pytest.mark.parametrize("content", [b"hello\n", None])
def test_a_picture_given_as_the_sound_is_refused_with_what_is_accepted(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    if content is None:
        write_picture(path, (64, 64))
    else:
        path.write_bytes(content)

    with pytest.raises(RequestError, match=r"^text\.png is (a picture, )?not a sound file") as caught:
        probe_sound(path)

    assert "Use a WAV, MP3, FLAC, OGG or M4A file." in caught.value.hint
