"""HDR becomes sRGB in a picture, as all other pictures are, and BT.1886 in a video."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltx_studio.media.colour import HLG, PQ, to_sdr
from ltx_studio.media.picture import write_picture
from tests.media.reference import HDR_CHAIN, pictures
from tests.media.table_pictures import png_with_codes

BT2020 = 9
WHITE_NITS = 203
STILL_CHAIN = HDR_CHAIN.replace("zscale=t=bt709:", "zscale=t=iec61966-2-1:")


def pq(light: Any) -> Any:
    """Return 16-bit codes of light, 1 being white of SDR."""
    power = (light * WHITE_NITS / 10_000) ** (2610 / 16384)
    code = ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    return np.rint(code * 65_535).astype(np.uint16)


@pytest.mark.parametrize("still", [True, False])
def test_grays_of_hdr_get_the_curve_of_pictures_or_of_videos(still: bool) -> None:
    shown = np.arange(0, 220)  # above, light is compressed
    code = shown / 255
    srgb = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    grays = np.repeat(pq(srgb if still else code**2.4)[None, :, None], 3, axis=2)

    made = to_sdr(grays, BT2020, PQ, still=still)

    assert np.abs(made[0, :, 0].astype(int) - shown).max() <= 1


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_a_picture_in_hdr_is_shown_as_ffmpeg_makes_srgb_of_it(transfer: int, tmp_path: Path) -> None:
    path = png_with_codes(tmp_path, (BT2020, transfer))

    write_picture(path, tmp_path / "made.png")

    expected = pictures(path, f"format=gbrp,{STILL_CHAIN}")[0].astype(int)
    assert np.abs(pictures(tmp_path / "made.png")[0] - expected).max() <= 2
