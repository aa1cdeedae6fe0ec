"""Remarks on files that the studio converts: transparent parts become white, and many channels become stereo."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ltx_studio.media import probe_clip, probe_picture, probe_sound
from tests.media.drawn import clip
from tests.media.reference import ffmpeg
from tests.samples import write_sound

ON_WHITE = "transparent parts, shown on white."


def picture(mode: str, opacity: int, path: Path) -> Path:
    """Write a picture of one colour, of which the upper left pixel has an opacity."""
    image = Image.new("RGBA", (64, 48), (200, 30, 30, 255))
    image.putpixel((0, 0), (200, 30, 30, opacity))
    if mode == "P":
        image = image.quantize(8)
    image.convert(mode).save(path)
    return path


@pytest.mark.parametrize(
    ("mode", "suffix"), [("RGBA", ".png"), ("RGBA", ".webp"), ("RGBA", ".tif"), ("LA", ".png"), ("P", ".png")]
)
@pytest.mark.parametrize(("opacity", "said"), [(255, ()), (254, (ON_WHITE,)), (0, (ON_WHITE,))])
def test_a_picture_says_that_its_transparent_parts_become_white(
    mode: str, suffix: str, opacity: int, said: tuple[str, ...], tmp_path: Path
) -> None:
    assert probe_picture(picture(mode, opacity, tmp_path / f"a{suffix}")).remarks == said


@pytest.mark.parametrize(("alpha", "said"), [(255, ()), (90, (ON_WHITE,))])
def test_a_clip_says_that_its_transparent_parts_become_white(alpha: int, said: tuple[str, ...], tmp_path: Path) -> None:
    pixels = np.full((64, 64, 4), (200, 30, 30, alpha), np.uint8)
    made = clip(tmp_path / "a.mov", "-c:v", "prores_ks", "-pix_fmt", "yuva444p10le", source=[pixels] * 8)

    assert probe_clip(made).remarks == said


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ("mono", ()),
        ("stereo", ()),
        ("2.1", ("3 channels (2.1), mixed to stereo.",)),
        ("5.1", ("6 channels (5.1), mixed to stereo.",)),
    ],
)
def test_a_sound_says_that_its_channels_are_mixed(layout: str, said: tuple[str, ...], tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "mono.wav", 0.5)
    made = tmp_path / "made.wav"
    ffmpeg("-i", str(sound), "-af", f"aformat=channel_layouts={layout}", str(made))

    assert probe_sound(made).remarks == said
