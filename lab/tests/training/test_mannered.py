from pathlib import Path

import pytest
import torch
from torch import Tensor

from lab.training.mannered import moved, read_control_clips
from lab.world.draw import render
from lab.world.scenes import CAMERAS, Scenes, sample

KEYS = "video", "last", "audio", "other", "words", "guide"


@pytest.fixture
def scenes() -> Scenes:
    """Two of them, which are told to be seen by a camera that goes to the left."""
    told = torch.full((2,), CAMERAS.index("dolly-left"))
    return sample(2, torch.Generator().manual_seed(1)).but(camera=told)


def seen(scenes: Scenes) -> Tensor:
    return render(scenes, 9, 64, 64)


def test_a_camera_that_stands_still_takes_the_told_move_away(scenes: Scenes) -> None:
    still = scenes.but(camera=torch.zeros_like(scenes.camera))

    assert seen(moved(scenes, "static", 1.0)).equal(seen(still))
    assert seen(moved(scenes, "static", 0.5)).equal(seen(scenes.but(far=torch.full((2,), 0.5))))


def test_a_camera_move_grows_with_the_strength(scenes: Scenes) -> None:
    jib = scenes.but(camera=torch.full((2,), CAMERAS.index("jib-up")))

    assert seen(moved(scenes, "jib-up", 0.5)).equal(seen(jib))
    assert seen(moved(scenes, "jib-up", 1.0)).equal(seen(jib.but(far=torch.full((2,), 1.5))))


def test_the_parts_of_the_control_clips_are_read_as_one(tmp_path: Path) -> None:
    paths = [tmp_path / f"clips-{number}.pt" for number in range(2)]
    for number, path in enumerate(paths):
        latents = dict.fromkeys(KEYS, torch.full((3, 1), float(number)))
        torch.save({"64x64x9": latents}, path)

    clips, guides = read_control_clips(paths)

    assert len(clips["64x64x9"]) == len(guides["64x64x9"]) == 6
    assert clips["64x64x9"].video.flatten().tolist() == guides["64x64x9"].flatten().tolist() == [0, 0, 0, 1, 1, 1]
