"""The same frames give the same clip, whatever was in memory before."""

from pathlib import Path

import av
import pytest

from ltx_studio.media import h264
from ltx_studio.media.input_requests import ClipFile
from ltx_studio.media.trim import cut_clip
from tests.fresh_memory import fresh_memory_filled_with
from tests.samples import moving


@pytest.mark.parametrize("size", [(64, 64), (96, 64), (320, 192)])
def test_a_clip_that_is_cut_twice_is_the_same(size: tuple[int, int], tmp_path: Path) -> None:
    with av.open(tmp_path / "film.mp4", "w") as film:
        stream = film.add_stream("libx264", rate=24, options={"crf": "0"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv444p"
        for picture in moving(*size, frames=12):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(stream.encode(None))
    want = ClipFile(tmp_path / "film.mp4", 0, 12, 24, *size)
    cuts = []
    for filled in (0, 85, 170):
        with fresh_memory_filled_with(filled):
            cut_clip(want, lambda: None, tmp_path / f"{filled}.mov")
        cuts.append((tmp_path / f"{filled}.mov").read_bytes())

    assert cuts[0] == cuts[1] == cuts[2]


@pytest.mark.parametrize(("flags", "expected"), [
    ("fpu avx2 avx512f avx512bw avx512vl", {"x264-params": "asm=AVX2,FMA3,LZCNT,BMI1,BMI2"}),
    ("fpu avx2 bmi2", {}),
    (None, {}),
])  # fmt: skip
def test_x264_is_limited_only_where_the_processor_has_avx512(
    flags: str | None, expected: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = tmp_path / "cpuinfo"
    if flags is not None:
        described.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(h264, "_CPU_INFO", described)

    assert h264.repeatable_options.__wrapped__() == expected
