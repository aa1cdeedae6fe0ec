"""ComfyUI saves the same clip from the same frames, whatever was in memory before."""

import importlib
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest

from ltx_studio.engine import Engine
from ltx_studio.engine.patches import save_the_same_clip_from_the_same_frames
from ltx_studio.engine.repeatable import RepeatableAv
from ltx_studio.errors import SetupError
from tests.fresh_memory import fresh_memory_filled_with
from tests.samples import moving, write_film


@pytest.mark.parametrize(("bit_depth", "crf"), [(8, 18.0), (8, None), (10, None)])
@pytest.mark.parametrize("size", [(64, 64), (96, 64), (320, 192)])
def test_frames_that_are_saved_twice_give_the_same_clip(
    size: tuple[int, int], bit_depth: int, crf: float | None, engine: Engine, tmp_path: Path
) -> None:
    torch = importlib.import_module("torch")
    latest = importlib.import_module("comfy_api.latest")
    components = latest.Types.VideoComponents(images=torch.from_numpy(moving(*size)) / 255, audio=None, frame_rate=24)
    clips = []
    for filled in (0, 85, 170):
        with fresh_memory_filled_with(filled):
            latest.InputImpl.VideoFromComponents(components).save_to(
                str(tmp_path / f"{filled}.mp4"), metadata={"made": "here"}, bit_depth=bit_depth, crf=crf
            )
        clips.append((tmp_path / f"{filled}.mp4").read_bytes())

    assert clips[0] == clips[1] == clips[2]
    with av.open(str(tmp_path / "0.mp4")) as clip:
        assert clip.metadata["made"] == '"here"'
        assert sum(1 for _ in clip.decode(video=0)) == 9


def test_a_clip_of_a_file_is_saved_with_its_sound_and_the_same_each_time(engine: Engine, tmp_path: Path) -> None:
    latest = importlib.import_module("comfy_api.latest")
    film = write_film(tmp_path / "film.mp4", size=(96, 64), frames=8, sound=True)

    clips = []
    for filled in (0, 85, 170):
        with fresh_memory_filled_with(filled):
            latest.InputImpl.VideoFromFile(str(film)).save_to(str(tmp_path / "saved.mp4"), crf=20.0)
        clips.append((tmp_path / "saved.mp4").read_bytes())

    assert clips[0] == clips[1] == clips[2]
    with av.open(str(tmp_path / "saved.mp4")) as clip:
        assert [stream.type for stream in clip.streams] == ["video", "audio"]
        assert sum(1 for _ in clip.decode(video=0)) == 8


def test_the_options_are_there_whatever_else_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltx_studio.engine.repeatable.repeatable_options", lambda: {"x264-params": "mbtree=0"})
    module: Any = RepeatableAv(av)

    with module.open(BytesIO(), "w", format="mp4") as made:
        first = made.add_stream("h264", rate=24)
        second = made.add_stream("libx264", rate=24, options={"crf": "20"})
        set_later = made.add_stream("h264", rate=24)
        set_later.options = {"crf": "18"}
        found = [stream.codec_context.options for stream in (first, second, set_later)]

    expected = {"x264-params": "mbtree=0"}
    assert found == [expected, {"crf": "20"} | expected, {"crf": "18"} | expected]


def test_other_codecs_and_files_that_are_read_are_av_s_own(tmp_path: Path) -> None:
    repeatable: Any = RepeatableAv(av)

    with repeatable.open(BytesIO(), "w", format="mp4") as made:
        stream = made.add_stream("aac", rate=48_000, layout="stereo")
        assert isinstance(stream, av.AudioStream)
    with repeatable.open(str(write_film(tmp_path / "film.mp4", frames=2))) as read:
        assert isinstance(read, av.container.InputContainer)
    assert repeatable.VideoFrame is av.VideoFrame


@pytest.mark.parametrize(("has", "misses"), [
    ({}, "VideoFromComponents, VideoFromFile"),
    ({"VideoFromComponents": 1, "VideoFromFile": 1}, r"video_types\.av\.open"),
])  # fmt: skip
def test_a_comfyui_without_what_is_patched_is_refused(has: dict[str, Any], misses: str) -> None:
    with pytest.raises(SetupError, match=misses):
        save_the_same_clip_from_the_same_frames(SimpleNamespace(**has))
