"""What frames carry beside their pixels must not end the process, whatever it is."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import ltx_studio
from ltx_studio.media.side_data import side_data
from tests.media.drawn import CORNERS, FPS, corners, picture, profile
from tests.media.readings import read_clip, read_in_child
from tests.media.reference import ffmpeg


def stills(folder: Path, suffix: str, **options: object) -> Path:
    """Write numbered pictures; return their name as FFmpeg takes it."""
    folder.mkdir()
    for number in range(8):
        Image.fromarray(picture(at=number / 8)).save(folder / f"{number}{suffix}", **options)  # type: ignore[arg-type]
    return folder / f"%d{suffix}"


def moving(folder: Path, suffix: str, container: str, **options: object) -> Path:
    path = folder / f"a.{container}"
    ffmpeg("-framerate", str(FPS), "-i", stills(folder / "stills", suffix, **options), "-c", "copy", path)
    return path


@pytest.mark.parametrize("name", ["apng", "png in mov"])
def test_a_clip_of_pictures_with_a_profile_does_not_end_the_process(name: str, tmp_path: Path) -> None:
    if name == "apng":
        path = tmp_path / "a.png"
        first, *others = [Image.fromarray(picture(at=number / 8)) for number in range(8)]
        first.save(path, save_all=True, append_images=others, duration=40, icc_profile=profile("sRGB"))
    else:
        path = moving(tmp_path, ".png", "mov", icc_profile=profile("sRGB"))

    assert read_in_child(path) == "alive"


@pytest.mark.parametrize("container", ["mov", "avi", "mkv"])
def test_a_camera_that_writes_exif_into_each_frame_is_read_and_obeyed(container: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    exif[0x0112] = 6
    path = moving(tmp_path, ".jpg", container, exif=exif, quality=98, subsampling=0)

    found, pictures = read_clip(path)

    assert (found.width, found.height) == (128, 192)
    turned = [CORNERS[2], CORNERS[0], CORNERS[3], CORNERS[1]]
    assert np.abs(corners(pictures[0]) - np.array(turned)).max() <= 4


def test_side_data_that_a_frame_lacks_is_none(tmp_path: Path) -> None:
    path = moving(tmp_path, ".png", "mov")
    with av.open(path) as container:
        frame = next(container.decode(video=0))

        assert side_data(frame, "DISPLAYMATRIX") is None
        assert (frame.width, frame.height) == (192, 128)


def test_no_module_reads_side_data_in_another_way() -> None:
    package = Path(ltx_studio.__file__).parent
    users = {
        path.name for path in package.rglob("*.py") if ".side_data" in path.read_text().replace("media.side_data", "")
    }

    assert users == {"side_data.py"}
