import os
import time
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from ltx_studio import sandbox
from ltx_studio.errors import ExecutionError, RequestError, StoppedError
from ltx_studio.media import ClipFile, InputPreparer, LoraFile, PictureFile, SoundFile, sweep
from ltx_studio.media.picture import LARGEST_PIXELS
from tests.samples import brightness, sound_of, write_film, write_picture, write_sound
from tests.support import leave_partial


@pytest.fixture
def stager(tmp_path: Path) -> InputPreparer:
    return InputPreparer(tmp_path / "input", tmp_path / "loras")


def shades(path: Path) -> list[int]:
    """The brightness of each picture, at its lower right."""
    with av.open(path) as container:
        return [int(frame.to_ndarray(format="rgb24")[-8, -8].mean()) for frame in container.decode(video=0)]


def test_equal_wants_give_one_file_and_others_another(stager: InputPreparer, tmp_path: Path) -> None:
    one = write_picture(tmp_path / "one.png", (64, 64))
    same = write_picture(tmp_path / "same.png", (64, 64))
    other = write_picture(tmp_path / "other.png", (96, 64))

    names = [stager(PictureFile(path)) for path in (one, one, same, other)]

    assert names[0] == names[1] == names[2] != names[3]
    assert len(list((tmp_path / "input").iterdir())) == 2


def test_a_picture_becomes_upright_rgb(stager: InputPreparer, tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    name = stager(PictureFile(write_picture(tmp_path / "phone.jpg", (64, 48), exif=turned)))

    with Image.open(tmp_path / "input" / name) as image:
        assert (image.mode, image.size) == ("RGB", (48, 64))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("RGBA", (64, 64), (255, 0, 0, 0)), (255, 255, 255)),
        (Image.new("L", (64, 64), 128), (128, 128, 128)),
        (Image.fromarray(np.full((64, 64), 32_896, dtype=np.uint16)), (128, 128, 128)),
        (Image.new("CMYK", (64, 64), (0, 255, 255, 0)), (255, 0, 0)),
    ],
    ids=["transparent", "grey", "16 bits", "CMYK"],
)
def test_every_kind_of_picture_keeps_its_look(image: Any, expected: Any, stager: InputPreparer, tmp_path: Path) -> None:
    path = tmp_path / ("a.jpg" if image.mode == "CMYK" else "a.png")
    image.save(path)

    with Image.open(tmp_path / "input" / stager(PictureFile(path))) as made:
        assert np.abs(np.array(made.getpixel((5, 5))) - expected).max() <= 2


def test_a_huge_picture_is_made_as_large_as_a_clip_can_be(stager: InputPreparer, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (9000, 6000), "red").save(path)

    with Image.open(tmp_path / "input" / stager(PictureFile(path))) as made:
        assert made.size == (6144, 4096)


def test_a_very_long_picture_is_made_smaller_as_a_whole(stager: InputPreparer, tmp_path: Path) -> None:
    Image.new("L", (1000, 40_000), 90).save(tmp_path / "long.png")

    with Image.open(tmp_path / "input" / stager(PictureFile(tmp_path / "long.png"))) as made:
        assert made.width * made.height <= LARGEST_PIXELS * 1.01
        assert made.height / made.width == pytest.approx(40, rel=0.01)


def test_a_server_prepares_a_picture_in_another_process(
    stager: InputPreparer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = sandbox._Pool()
    monkeypatch.setattr(sandbox, "_pool", pool)
    monkeypatch.setattr("ltx_studio.media.prepare_inputs.write_picture", lambda *_: pytest.fail("it was prepared here"))
    write_picture(tmp_path / "a.png", (64, 48))
    (tmp_path / "broken.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    try:
        name = stager(PictureFile(tmp_path / "a.png"))
        with pytest.raises(RequestError, match=r"broken\.png cannot be read completely"):
            stager(PictureFile(tmp_path / "broken.png"))
    finally:
        pool.close()

    assert [path.name for path in (tmp_path / "input").iterdir()] == [name]


@pytest.mark.parametrize("kind", ["clip", "sound"])
def test_a_server_cuts_a_clip_or_a_sound_in_another_process(
    kind: str, stager: InputPreparer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = sandbox._Pool()
    monkeypatch.setattr(sandbox, "_pool", pool)
    for cutter in ("cut_clip", "cut_sound"):
        monkeypatch.setattr(f"ltx_studio.media.prepare_inputs.{cutter}", lambda *_: pytest.fail("it was cut here"))
    source = write_film(tmp_path / "a.mp4", sound=True)
    broken = tmp_path / f"broken.{kind}"
    broken.write_bytes(source.read_bytes()[:60])

    def want(path: Path) -> ClipFile | SoundFile:
        return ClipFile(path, 0, 9, 24, 192, 128) if kind == "clip" else SoundFile(path, 0, 0.5)

    try:
        name = stager(want(source))
        with pytest.raises(RequestError, match=rf"broken\.{kind} cannot be read completely"):
            stager(want(broken))
    finally:
        pool.close()

    assert [path.name for path in (tmp_path / "input").iterdir()] == [name]


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (8_000, 1), (44_100, 6), (96_000, 2)])
def test_a_sound_becomes_stereo_at_48_khz(rate: int, channels: int, stager: InputPreparer, tmp_path: Path) -> None:
    source = write_sound(tmp_path / "a.wav", 1.0, rate=rate, channels=channels)

    name = stager(SoundFile(source, 0.0, 0.5))

    with wave.open(str(tmp_path / "input" / name)) as made:
        assert (made.getframerate(), made.getnchannels(), made.getnframes()) == (48_000, 2, 24_000)
    sound, _ = sound_of(tmp_path / "input" / name)
    assert np.abs(sound).max() > 0.2


def test_a_short_sound_stays_as_long_as_it_is(stager: InputPreparer, tmp_path: Path) -> None:
    name = stager(SoundFile(write_sound(tmp_path / "a.wav", 0.3), 0.0, 10))

    with wave.open(str(tmp_path / "input" / name)) as made:
        assert made.getnframes() == pytest.approx(0.3 * 48_000, abs=8)


@pytest.mark.parametrize("fps", [12.0, 24.0, 30.0, 59.94])
def test_a_clip_gets_the_pictures_of_its_moments(fps: float, stager: InputPreparer, tmp_path: Path) -> None:
    source = write_film(tmp_path / "a.mp4", frames=48, fps=24)

    name = stager(ClipFile(source, start=0.5, frames=9, fps=fps, width=192, height=128))

    expected = [brightness(int((0.5 + (index + 0.5) / fps) * 24)) for index in range(9)]
    assert np.abs(np.array(shades(tmp_path / "input" / name)) - expected).max() <= 5


def test_the_last_picture_is_held_when_the_clip_ends_before(stager: InputPreparer, tmp_path: Path) -> None:
    name = stager(ClipFile(write_film(tmp_path / "a.mp4", frames=5), 0, 9, 24, 192, 128))

    made = shades(tmp_path / "input" / name)
    assert len(made) == 9
    assert len(set(made[4:])) == 1


def test_a_clip_of_a_phone_on_its_side_is_set_upright(stager: InputPreparer, tmp_path: Path) -> None:
    lying, turned = write_film(tmp_path / "a.mp4", size=(192, 128)), tmp_path / "turned.mp4"
    remux_turned(lying, turned)

    name = stager(ClipFile(turned, 0, 9, 24, 128, 192))

    with av.open(tmp_path / "input" / name) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert frame.shape[:2] == (192, 128)
    corners = {(row, column): frame[row, column].mean() > 200 for row in (4, -4) for column in (4, -4)}
    assert sum(corners.values()) == 1
    assert not corners[4, 4], "it was not turned"


def remux_turned(source: Path, destination: Path) -> None:
    """A copy that says that it is to be turned by 90 degrees, as phones write it."""
    data = bytearray(source.read_bytes())
    matrix = data.find(b"\0\1\0\0" + b"\0" * 12 + b"\0\1\0\0" + b"\0" * 12 + b"@\0\0\0", data.find(b"tkhd"))
    one, minus_one, zero = b"\0\1\0\0", b"\xff\xff\0\0", b"\0\0\0\0"
    data[matrix : matrix + 36] = zero + one + zero + minus_one + zero + zero + zero + zero + b"@\0\0\0"
    destination.write_bytes(data)


def test_a_large_clip_is_made_no_larger_than_it_must_be(stager: InputPreparer, tmp_path: Path) -> None:
    name = stager(ClipFile(write_film(tmp_path / "a.mp4", size=(1280, 720), frames=9), 0, 9, 24, 128, 128))

    with av.open(tmp_path / "input" / name) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (228, 128)


def test_the_sound_of_a_clip_comes_along_from_the_same_moment(stager: InputPreparer, tmp_path: Path) -> None:
    source = write_film(tmp_path / "a.mp4", frames=48, sound=True)

    name = stager(ClipFile(source, 1.0, 9, 24, 192, 128, with_sound=True))

    sound, rate = sound_of(tmp_path / "input" / name)
    assert len(sound) / rate == pytest.approx(9 / 24, abs=0.01)
    assert np.abs(sound).max() > 0.2


def test_a_lora_is_linked_not_copied(stager: InputPreparer, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(b"weights")

    name = stager(LoraFile(path))

    assert (tmp_path / "loras" / name).is_symlink()
    assert (tmp_path / "loras" / name).read_bytes() == b"weights"


def test_a_stop_ends_the_work_and_leaves_no_file(tmp_path: Path) -> None:
    def stop() -> None:
        raise StoppedError("Stopped.", "")

    stager = InputPreparer(tmp_path / "input", tmp_path / "loras", check=stop)

    with pytest.raises(StoppedError):
        stager(ClipFile(write_film(tmp_path / "a.mp4"), 0, 9, 24, 192, 128))

    assert list((tmp_path / "input").iterdir()) == []


def test_a_file_that_is_gone_is_named(stager: InputPreparer, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="There is no file"):
        stager(PictureFile(tmp_path / "gone.png"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("a file where the folder should be")
    stager = InputPreparer(tmp_path / "input", tmp_path / "loras")

    with pytest.raises(ExecutionError, match="could not be prepared: File exists"):
        stager(PictureFile(write_picture(tmp_path / "a.png", (64, 64))))


def test_what_was_made_long_ago_is_swept_and_what_the_user_put_there_is_not(
    stager: InputPreparer, tmp_path: Path
) -> None:
    made = tmp_path / "input" / stager(PictureFile(write_picture(tmp_path / "a.png", (64, 64))))
    mine = write_picture(tmp_path / "input" / "mine.png", (64, 64))
    long_ago = time.time() - 30 * 24 * 3600
    unfinished = tmp_path / "input" / "studio-abc.mov.123.part"
    unfinished.touch()
    link = tmp_path / "loras" / stager(LoraFile(made))
    left = [leave_partial(tmp_path / "input"), leave_partial(link.parent)]
    for path in (made, mine, unfinished, link):
        os.utime(path, (long_ago, long_ago), follow_symlinks=False)

    sweep(tmp_path / "input", tmp_path / "loras")

    assert not made.exists()
    assert not unfinished.exists()
    assert not link.is_symlink()
    assert not any(path.exists() for path in left)
    assert mine.exists()


def onset(path: Path) -> float:
    """Second at which something is heard."""
    sound, rate = sound_of(path)
    return float(np.argmax(np.abs(sound) > 0.05) / rate)


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_sound_that_begins_after_the_pictures_stays_where_it_was(
    container: str, stager: InputPreparer, tmp_path: Path
) -> None:
    source = write_film(tmp_path / f"a.{container}", frames=48, sound=True, sound_at=1.0)

    name = stager(ClipFile(source, 0.5, 33, 24, 192, 128, with_sound=True))

    assert onset(tmp_path / "input" / name) == pytest.approx(0.5, abs=0.05)


def test_a_part_of_a_sound_is_cut_where_it_is_wanted(stager: InputPreparer, tmp_path: Path) -> None:
    source = write_sound(tmp_path / "a.wav", 3.0)

    name = stager(SoundFile(source, 1.5, 0.5))

    (whole, rate), (part, _) = sound_of(source), sound_of(tmp_path / "input" / name)
    assert len(part) == rate // 2
    assert np.abs(part - whole[round(1.5 * rate) :][: len(part)]).max() < 1e-3


def test_a_sound_that_ends_before_the_wanted_part_is_refused(stager: InputPreparer, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="ends before 2 s"):
        stager(SoundFile(write_sound(tmp_path / "a.wav", 1.0), 2.0, 1.0))


def test_a_control_clip_that_is_not_to_be_held_ends_when_it_ends(stager: InputPreparer, tmp_path: Path) -> None:
    name = stager(ClipFile(write_film(tmp_path / "a.mp4", frames=10), 0, 33, 24, 192, 128, hold=False))

    assert len(shades(tmp_path / "input" / name)) == 10


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "flv"])
def test_a_part_far_into_a_clip_is_found(suffix: str, stager: InputPreparer, tmp_path: Path) -> None:
    source = write_film(tmp_path / f"a.{suffix}", frames=200, fps=24)

    name = stager(ClipFile(source, start=6.0, frames=9, fps=24, width=192, height=128))

    assert (
        np.abs(np.array(shades(tmp_path / "input" / name)) - [brightness(144 + index) for index in range(9)]).max() <= 5
    )


def test_pictures_whose_times_go_back_are_shown_in_their_order(stager: InputPreparer, tmp_path: Path) -> None:
    source = write_film(tmp_path / "a.avi", frames=48)  # AVI has no times for pictures that are stored out of order

    made = shades(tmp_path / "input" / stager(ClipFile(source, 0, 41, 24, 192, 128)))

    assert np.diff(made).min() >= -1
    assert np.abs(np.array(made) - [brightness(index) for index in range(41)]).max() <= 9


def test_two_jobs_that_want_the_same_do_not_disturb_each_other(stager: InputPreparer, tmp_path: Path) -> None:
    want = ClipFile(write_film(tmp_path / "a.mp4", frames=48), 0, 41, 24, 192, 128)

    with ThreadPoolExecutor(4) as pool:
        names = set(pool.map(lambda _: stager(want), range(4)))

    assert len(names) == 1
    assert len(shades(tmp_path / "input" / names.pop())) == 41
    assert len(list((tmp_path / "input").iterdir())) == 1


def test_pixels_that_are_not_square_are_made_square(stager: InputPreparer, tmp_path: Path) -> None:
    source = write_film(tmp_path / "a.mp4", size=(160, 240), aspect=2)

    name = stager(ClipFile(source, 0, 9, 24, 64, 64))

    with av.open(tmp_path / "input" / name) as container:
        stream = container.streams.video[0]
        assert stream.width / stream.height == pytest.approx(320 / 240, abs=0.05)


def test_the_sound_of_a_clip_is_as_long_as_its_pictures(stager: InputPreparer, tmp_path: Path) -> None:
    silent_part = write_film(tmp_path / "a.mp4", frames=48, sound=True, sound_at=1.5)

    name = stager(ClipFile(silent_part, 0, 25, 24, 192, 128, with_sound=True))

    sound, rate = sound_of(tmp_path / "input" / name)
    assert len(sound) / rate == pytest.approx(25 / 24, abs=0.01)
    assert np.abs(sound).max() < 0.01


def test_a_name_with_a_colon_is_a_name(stager: InputPreparer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_film(tmp_path / "clip:1.mp4")
    write_sound(tmp_path / "sound:1.wav", 1.0)
    monkeypatch.chdir(tmp_path)

    assert stager(ClipFile(Path("clip:1.mp4"), 0, 9, 24, 192, 128))
    assert stager(SoundFile(Path("sound:1.wav"), 0, 1))


def test_a_damaged_packet_costs_no_more_than_itself(stager: InputPreparer, tmp_path: Path) -> None:
    whole = write_sound(tmp_path / "a.wav", 2.0)
    broken = tmp_path / "a.flac"
    encode(whole, broken)
    data = bytearray(broken.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = b"\xff" * 2000
    broken.write_bytes(data)

    sound, rate = sound_of(tmp_path / "input" / stager(SoundFile(broken, 0, 2)))

    assert len(sound) / rate == pytest.approx(2.0, abs=0.1)


def encode(source: Path, destination: Path) -> None:
    with av.open(source) as container, av.open(destination, "w") as out:
        stream = out.add_stream("flac", rate=48_000, layout="stereo")
        resampler = av.AudioResampler(format="s16", layout="stereo", rate=48_000, frame_size=4096)
        for frame in [*container.decode(audio=0), None]:
            for piece in resampler.resample(frame):
                out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
