"""HDR pictures in AVIF are converted with all of their bits."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.media.drawn import AS_BT709, CORNERS, SIZE, corners, picture
from tests.media.readings import read_picture
from tests.media.reference import ffmpeg

SIZED = f"{SIZE[0]}x{SIZE[1]}"


def hdr_avif(path: Path, transfer: str) -> Path:
    """Write the picture in HDR, with 10 bits a channel."""
    raw = path.with_suffix(".raw")
    raw.write_bytes(picture().tobytes())
    srgb = AS_BT709.replace("color_trc=bt709", "color_trc=iec61966-2-1")
    chain = (
        f"{srgb},zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt2020,zscale=t={transfer}:npl=203:m=gbr:r=full,"
        "format=gbrp16le,format=rgb48le,scale=out_color_matrix=bt2020:out_range=pc:flags=accurate_rnd+full_chroma_int,"
        f"format=yuv444p10le,setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=pc"
    )
    given = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", SIZED, "-i", raw, "-frames:v", "1", "-vf", chain)
    ffmpeg(*given, "-c:v", "libaom-av1", "-crf", "2", "-cpu-used", "8", "-still-picture", "1", path)
    return path


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_an_hdr_avif_keeps_its_colours(transfer: str, tmp_path: Path) -> None:
    made = read_picture(hdr_avif(tmp_path / "a.avif", transfer))

    assert made.shape == (SIZE[1], SIZE[0], 3)
    assert np.abs(corners(made) - np.array(CORNERS)).max() <= 14  # 10 bits of PQ


def test_an_avif_without_hdr_is_as_pillow_reads_it(tmp_path: Path) -> None:
    Image.fromarray(picture()).save(tmp_path / "a.avif", quality=100, subsampling="4:4:4")

    with Image.open(tmp_path / "a.avif") as image:
        assert np.array_equal(read_picture(tmp_path / "a.avif"), np.asarray(image))
