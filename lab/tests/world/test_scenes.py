import random
import re

import pytest
import torch

from lab.training.clips import draw_scenes
from lab.world.captions import is_held_out, plain_caption, tell
from lab.world.draw import frame_state, render, subject_distance
from lab.world.scenes import CAMERAS, FACE, Scenes, contrasts, sample
from lab.world.words import CANONICAL, SYNONYMS, WORDS

PROMISED = re.compile(
    r"a (red|green|blue|yellow|white|black|orange|purple) (circle|square|triangle) "
    r"(moves left|moves right|moves up|moves down|stays still|bounces( to the (left|right))?|pulses) "
    r"on a (black|white|gray|navy|teal|pink|brown) background"
)
UNREAD = {"a", "on", "the", "to", "at", "front", "of", "over"}
"""Words of captions that stand in no table: they tell nothing apart."""


def scenes_of(seed: int, count: int = 200, **shares: float) -> Scenes:
    return sample(count, torch.Generator().manual_seed(seed), **shares)


def test_a_seed_gives_the_same_pictures_again_and_another_one_does_not() -> None:
    one, same, other = (render(scenes_of(seed, 4), 9, 64, 64) for seed in (1, 1, 2))

    assert one.equal(same)
    assert not one.equal(other)


@pytest.mark.parametrize("camera", CAMERAS[1:])
def test_a_camera_that_goes_half_its_way_shows_half_of_the_move(camera: str) -> None:
    scenes = scenes_of(8, 1).but(camera=torch.tensor([CAMERAS.index(camera)]))

    def move(far: float) -> list[float]:
        _, x, y, scale = frame_state(scenes.but(far=torch.tensor([far])), 9, 64, 64, 24.0)
        return [float(each[0, -1].mean() - each[0, 0].mean()) for each in (x, y, scale.log())]

    assert move(0.0) == pytest.approx([0, 0, 0], abs=1e-6)
    assert move(0.5) == pytest.approx([each / 2 for each in move(1.0)], abs=1e-6)
    assert max(map(abs, move(1.0))) > 0.1


def test_shapes_on_plain_backgrounds_are_told_in_the_promised_words() -> None:
    scenes = scenes_of(3, faces=0.0, settings=0.0)

    for index in range(len(scenes)):
        assert PROMISED.fullmatch(plain_caption(scenes, index))


def test_the_text_encoder_reads_every_word_that_tells_something() -> None:
    scenes, chance = draw_scenes(600, torch.Generator().manual_seed(4)), random.Random(5)
    told = " ".join(tell(scenes, index, chance) for index in range(len(scenes)))

    assert set(re.findall(r"\w+", told)) - UNREAD <= set(WORDS)


def test_no_word_means_two_things() -> None:
    every = [word for known in SYNONYMS.items() for word in (known[0], *known[1])]

    assert len(every) == len(set(every)) == len(WORDS)
    assert CANONICAL["ball"] == "circle"


def test_sentences_that_are_held_out_are_never_trained_with() -> None:
    scenes = draw_scenes(400, torch.Generator().manual_seed(6))

    assert not any(is_held_out(scenes, index) for index in range(len(scenes)))


def test_enough_sentences_are_held_out_to_ask_for() -> None:
    scenes = scenes_of(7, 4000, faces=0.0, settings=0.0)
    held = {plain_caption(scenes, index) for index in range(len(scenes)) if is_held_out(scenes, index)}

    assert len(held) >= 100


@pytest.mark.parametrize(("width", "height"), [(64, 64), (96, 64), (128, 96), (96, 128), (256, 192), (192, 256)])
def test_subjects_are_large_enough_and_stay_in_the_picture(width: int, height: int) -> None:
    scenes = scenes_of(8, 64, settings=0.0)
    state, x, y, _ = frame_state(scenes, 25, width, height, 24.0)
    inside = subject_distance(scenes, state, x, y) < 0
    tall = inside.any(3).float().sum(2)

    assert (tall.amax(1)[scenes.subject != FACE] >= 0.15 * height).all()
    for rim in (inside[:, :, 0], inside[:, :, -1], inside[:, :, :, 0], inside[:, :, :, -1]):
        assert not rim[scenes.subject != FACE].any()


def test_subjects_can_be_told_from_what_is_behind_them() -> None:
    scenes = scenes_of(9, settings=0.0)

    assert all(contrasts(int(one), int(other)) for one, other in zip(scenes.colour, scenes.background, strict=True))
    assert not contrasts(4, 1), "white on white"


def test_a_part_of_a_picture_is_the_same_as_in_the_whole() -> None:
    scenes = scenes_of(10, 3, faces=0.4, settings=0.4)
    whole = render(scenes, 9, 96, 64)
    part = render(scenes, 9, 96, 64, window=(2, 5), crop=(16, 8, 32, 40))

    assert torch.allclose(part, whole[:, :, 2:5, 8:48, 16:48], atol=1e-5)
