"""The measures say of drawn scenes what was drawn: else what they say of generated clips would mean nothing."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike

from lab.obey import measure
from lab.obey.measure import Clip
from lab.obey.modes import is_between, mouth_box
from lab.obey.scenes import faces, held_out, write_sound
from lab.obey.trials import HEIGHT, WIDTH, has_colours
from lab.obey.ways import detailed, sketched
from lab.world.controls import soft_focus
from lab.world.draw import render
from lab.world.palette import BACKGROUNDS, COLOURS
from lab.world.scenes import MOTIONS, SUBJECTS, Scenes
from lab.world.sound import PITCHES, RATE, sound

MADE = ("moves right", "moves left", "moves up", "moves down", "stays still", "bounces", "pulses")


def clip_of(scene: Scenes, *, frames: int = 25, width: int = 128, height: int = 96) -> Clip:
    pictures = (render(scene, frames, width, height)[0].permute(1, 2, 3, 0) + 1) / 2
    heard = sound(scene, int(RATE * frames / 24), duration=(frames - 1) / 24)[0, 0]
    return Clip(pictures.double().numpy(), 24.0, heard.double().numpy(), RATE)


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return held_out(42, "measure", MADE)


@pytest.mark.parametrize(("frames", "width", "height"), [(25, 128, 96), (33, 96, 128)])
def test_every_motion_is_recognised(scenes: Scenes, frames: int, width: int, height: int) -> None:
    for index in range(len(scenes)):
        one = scenes[index : index + 1]
        assert measure.motion(clip_of(one, frames=frames, width=width, height=height)) == MOTIONS[int(one.motion[0])]


def test_colours_are_recognised(scenes: Scenes) -> None:
    for index in range(len(scenes)):
        one = scenes[index : index + 1]
        clip = clip_of(one)
        assert has_colours(clip, one) == (True, True)


def test_pitches_and_silence_are_recognised(scenes: Scenes) -> None:
    for index in range(len(scenes)):
        one = scenes[index : index + 1]
        silent = MOTIONS[int(one.motion[0])] == "stays still"
        wanted = 0.0 if silent else PITCHES[SUBJECTS[int(one.subject[0])]]
        assert measure.pitch(clip_of(one)) == pytest.approx(wanted, abs=10)


@pytest.mark.parametrize("motion", ["bounces", "pulses"])
def test_picture_and_sound_of_a_scene_beat_together_and_of_two_scenes_do_not(motion: str) -> None:
    scenes = held_out(12, "beats", (motion,))
    clips = [clip_of(scenes[index : index + 1]) for index in range(len(scenes))]
    together = [measure.correlation(measure.beat(clip, motion), measure.envelope(clip)) for clip in clips]
    apart = [
        measure.correlation(measure.beat(one, motion), measure.envelope(other))
        for one, other in itertools.pairwise(clips)
    ]

    assert np.median(together) > 0.85
    assert np.median(apart) < 0.5


def test_a_mouth_opens_as_the_voice_is_loud() -> None:
    found = []
    scenes = faces(8, "measure")
    for index in range(len(scenes)):
        one = scenes[index : index + 1]
        clip = clip_of(one, width=WIDTH, height=HEIGHT)
        found.append(measure.correlation(measure.mouth(clip, mouth_box(one)), measure.envelope(clip)))

    assert np.median(found) > 0.9


def test_emptiness_is_nothing() -> None:
    empty = Clip(np.full((25, 96, 128, 3), 0.5), 24.0, np.zeros(16_000), RATE)

    assert measure.motion(empty) == "nothing"
    assert measure.colour(empty) is None
    assert measure.pitch(empty) == 0
    assert measure.correlation(measure.beat(empty, "pulses"), measure.envelope(empty)) == 0


def disc(x: ArrayLike, *, radius: ArrayLike = 0.15) -> Clip:
    """Draw a white disc on black: middle and radius for each frame, in units of the short side; 0 is none."""
    down, across = np.mgrid[:96, :128] / 96
    rows = np.broadcast_arrays(x, radius)
    inside = np.stack([np.hypot(across - middle, down - 0.5) < size for middle, size in zip(*rows, strict=True)])
    return Clip(np.repeat(inside[..., None], 3, -1).astype(float), 24.0, np.zeros(16_000), RATE)


MIDDLE = np.full(25, 0.67)
BEATS = np.abs(np.sin(np.linspace(0, 2 * np.pi, 25)))
GONE_AT_THE_END = np.where(np.arange(25) < 22, 0.15, 0)
GONE_FOR_A_WHILE = np.where((np.arange(25) > 8) & (np.arange(25) < 17), 0, 0.15)


@pytest.mark.parametrize("radius", [GONE_AT_THE_END, GONE_FOR_A_WHILE], ids=["at the end", "for a while"])
def test_what_vanishes_does_not_move(radius: ArrayLike) -> None:
    assert measure.motion(disc(MIDDLE, radius=radius)) == "nothing"


@pytest.mark.parametrize(
    "clip",
    [
        disc(0.67 + 0.5 * np.sin(np.linspace(0, np.pi, 25))),
        disc(0.67 + np.linspace(0, 0.14, 25)),
        disc(MIDDLE, radius=np.linspace(0.12, 0.2, 25)),
        disc(0.67 + 0.2 * BEATS, radius=0.15 + 0.03 * BEATS),
    ],
    ids=["to the side and back", "a little way", "grows", "sways more than it grows"],
)
def test_what_neither_stays_nor_beats_is_something_else(clip: Clip) -> None:
    assert measure.motion(clip) == "something else"


@pytest.mark.parametrize("aside", [0, 1], ids=["to all sides", "to one side"])
def test_what_comes_and_goes_pulses(aside: float) -> None:
    assert measure.motion(disc(0.67 + aside * 0.15 * BEATS, radius=0.12 + 0.15 * BEATS)) == "pulses"


@pytest.mark.parametrize(
    ("way", "holds"),
    [
        (np.linspace(0.3, 1.0, 25), True),
        (np.where(np.arange(25) < 12, 0.3, 1.0), False),
        (np.where(np.arange(25) < 13, 0.3, 1.0), False),
        (np.full(25, 0.3), False),
    ],
    ids=["goes", "jumps", "jumps later", "stays"],
)
def test_between_is_on_the_way_and_no_cut(way: ArrayLike, holds: bool) -> None:
    assert is_between(disc(way), disc([0.3, 1.0]), "moves right") is holds


def test_between_the_subject_does_not_vanish() -> None:
    radius = np.where((np.arange(25) > 1) & (np.arange(25) < 23), 0.02, 0.15)

    assert not is_between(disc(np.linspace(0.3, 1.0, 25), radius=radius), disc([0.3, 1.0]), "moves right")


def test_a_white_picture_is_no_sketch() -> None:
    white = Clip(np.ones((3, 96, 128, 3)), 24.0, np.zeros(16_000), RATE)

    assert math.isnan(sketched(white, held_out(1, "sketch", MADE)))


def outline(frames: int, left: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    mask = np.zeros((frames, 48, 64), dtype=bool)
    mask[:, 10:30, [left, left + 20]] = True
    return mask


@pytest.mark.parametrize(
    ("shift", "holds"), [(0, lambda score: score == 1), (2, lambda score: score == 1), (9, lambda score: score == 0)]
)
def test_edges_are_met_within_reach_only(shift: int, holds: Callable[[float], bool]) -> None:
    assert holds(measure.edge_score(outline(3, 10 + shift), outline(3, 10)))


@pytest.mark.parametrize(("colour", "background"), [("blue", "white"), ("blue", "navy"), ("green", "brown")])
def test_the_outline_of_a_soft_picture_is_where_that_of_the_sharp_one_is(
    scenes: Scenes, colour: str, background: str
) -> None:
    index = list(COLOURS).index(colour), list(BACKGROUNDS).index(background)
    painted = scenes[0:1].but(colour=torch.tensor(index[:1]), background=torch.tensor(index[1:]))
    sharp = clip_of(painted, width=WIDTH, height=HEIGHT)
    pictures = torch.from_numpy(sharp.frames).movedim(-1, 1)
    blurred = torch.nn.functional.avg_pool2d(pictures, 9, 1, 4, count_include_pad=False)
    soft = replace(sharp, frames=blurred.movedim(1, -1).numpy())

    assert measure.edge_score(measure.outline(soft), measure.outline(sharp), reach=1) > 0.9
    beside = np.roll(measure.outline(sharp), 6, axis=2)
    assert measure.edge_score(measure.outline(soft), beside, reach=1) < 0.5


def test_whiteness_grows_evenly_from_a_picture_to_its_sketch(scenes: Scenes) -> None:
    clip = clip_of(scenes[0:1])
    halfway, sketch = (replace(clip, frames=clip.frames + part * (1 - clip.frames)) for part in (0.5, 1.0))

    before, between, after = (measure.whiteness(each) for each in (clip, halfway, sketch))

    assert between - before == pytest.approx(after - between)
    assert after == 1


def test_the_same_scene_in_all_families_is_not_the_same() -> None:
    assert not held_out(4, "a", MADE).place.equal(held_out(4, "b", MADE).place)
    assert torch.equal(held_out(4, "a", MADE).place, held_out(4, "a", MADE).place)


@pytest.mark.parametrize("way", [0.0, 0.5, 1.0])
def test_details_that_are_back_are_measured_by_their_share(scenes: Scenes, way: float) -> None:
    scene = scenes[4:5]
    drawn = render(scene, 25, WIDTH, HEIGHT)
    between = torch.lerp(soft_focus(drawn), drawn, way)
    pictures = ((between[0].permute(1, 2, 3, 0) + 1) / 2).double().numpy()

    assert detailed(Clip(pictures, 24.0, measure.NO_SOUND, 16_000), scene) == pytest.approx(way)


def test_beside_a_file_its_sound_counts_and_not_the_clips_own(scenes: Scenes, tmp_path: Path) -> None:
    bounces, pulses = (scenes[MADE.index(name) : MADE.index(name) + 1] for name in ("bounces", "pulses"))
    path = write_sound(pulses, tmp_path / "given.wav", frames=25)

    heard = measure.envelope(measure.beside(clip_of(bounces), path))

    assert measure.correlation(heard, measure.envelope(clip_of(pulses))) > 0.99
    assert measure.correlation(heard, measure.envelope(clip_of(bounces))) < 0.9
