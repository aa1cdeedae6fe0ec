"""Clips whose colours are stored with a matrix that FFmpeg's scaler does not know."""

from pathlib import Path

import numpy as np
import pytest

from ltx_studio.errors import RequestError
from ltx_studio.media import probe_clip
from tests.media import reference
from tests.media.drawn import AS_BT709, clip, corners
from tests.media.readings import read_clip


@pytest.mark.parametrize("limits", ["limited", "full"])
@pytest.mark.parametrize("matrix", ["ycgco", "chroma-derived-nc"])
def test_a_rare_matrix_is_converted(matrix: str, limits: str, tmp_path: Path) -> None:
    chain = f"{AS_BT709},zscale=m={matrix}:r={limits},format=yuv444p"
    path = clip(tmp_path / "a.mp4", "-c:v", "libx264", "-crf", "2", chain=chain, frames=6)
    expected = reference.pictures(path, "zscale=m=gbr:r=full,format=gbrp")

    _, pictures = read_clip(path)

    assert np.abs(corners(pictures[0]) - corners(expected[0])).max() <= 4


@pytest.mark.parametrize(("name", "number"), [("bt2020c", 10), ("ictcp", 14)])
def test_a_matrix_that_cannot_be_converted_is_refused_at_once(name: str, number: int, tmp_path: Path) -> None:
    chain = f"format=yuv444p,setparams=colorspace={name}"
    path = clip(tmp_path / "a.mp4", "-c:v", "libx264", chain=chain, frames=6)

    with pytest.raises(RequestError, match=rf"unsupported colour matrix \({number} of ITU-T H\.273\)") as caught:
        probe_clip(path)

    assert "BT.709" in caught.value.hint
