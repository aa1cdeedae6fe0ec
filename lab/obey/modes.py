"""Judges of each mode with the preset Fast: whether it does what it promises."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lab.obey import measure
from lab.obey.measure import Clip
from lab.obey.scenes import edged, faces, held_out, write_clip, write_frame, write_sound
from lab.obey.trials import (
    DIRECTIONS,
    HEIGHT,
    RHYTHMS,
    WIDTH,
    Family,
    Found,
    Line,
    Render,
    has_colours,
    length,
    motion_of,
    picture,
    request,
    sounds_right,
)
from lab.world.captions import is_held_out
from lab.world.draw import frame_state
from lab.world.palette import BACKGROUNDS, COLOURS
from lab.world.scenes import Scenes, contrasts
from ltx_studio.pocket import files

EDGES_KEPT = 0.7
CLEARLY = 0.1
"""Minimum decrease of the kept edges without the IC-LoRA."""


def judge_words(render: Render, scene: Scenes, number: int, _folder: Path) -> Found:
    """Check colours, motion, pitch and timing, all from words."""
    clip = render("t2v", request(scene, number, frames=length(number)))
    wanted, moved = motion_of(scene), measure.motion(clip)
    background, colour = has_colours(clip, scene)
    found: Found = {"background": background, "colour": colour, "pitch or silence": sounds_right(clip, scene)}
    if wanted in DIRECTIONS:
        return {**found, "direction": moved == wanted}
    found[wanted] = moved == wanted
    if wanted != "stays still":
        found["beats in time"] = measure.correlation(measure.beat(clip, wanted), measure.envelope(clip))
    return found


def judge_image(render: Render, scene: Scenes, number: int, folder: Path) -> Found:
    """Check that the clip begins with the given picture, and continues as prompted."""
    frames = length(number)
    given = write_frame(scene, folder / "first.png", frames=frames, index=0, width=WIDTH, height=HEIGHT)
    clip = render("i2v", {**request(scene, number, frames=frames), "image": given})
    return {
        "frame 0": measure.psnr(clip.frames[0], picture(given)),
        "motion": measure.motion(clip) == motion_of(scene),
    }


def judge_keyframes(render: Render, scene: Scenes, number: int, folder: Path) -> Found:
    """Check that the clip begins and ends with the given pictures, and that the subject is between them midway."""
    frames = length(number)
    ends = [
        write_frame(scene, folder / f"{name}.png", frames=frames, index=index, width=WIDTH, height=HEIGHT)
        for name, index in (("first", 0), ("last", -1))
    ]
    values = {**request(scene, number, frames=frames), "first_image": ends[0], "last_image": ends[1]}
    clip = render("keyframe", values)
    given = replace(clip, frames=np.stack([picture(end) for end in ends]))
    return {
        "first frame": measure.psnr(clip.frames[0], picture(ends[0])),
        "last frame": measure.psnr(clip.frames[-1], picture(ends[1])),
        "the middle is between": is_between(clip, given, motion_of(scene)),
    }


def is_between(clip: Clip, ends: Clip, motion: str) -> bool:
    """Return whether the three middle frames each show exactly one subject, on its way between the ends."""
    found, given = measure.track(clip), measure.track(ends)
    axis, (begin, end) = (found.x, given.x) if motion in ("moves right", "moves left") else (found.y, given.y)
    middle = slice(len(axis) // 2 - 1, len(axis) // 2 + 2)
    way = (axis[middle] - begin) / (end - begin)
    one_subject = (found.area[middle] < 1.5 * given.area.max()) & (found.area[middle] > 0.5 * given.area.min())
    return bool(((way > 0.2) & (way < 0.8) & one_subject).all())


def judge_sound(render: Render, scene: Scenes, number: int, folder: Path) -> Found:
    """Check that the picture follows the given sound, not its own, and that another sound gives another picture."""
    frames, wanted = length(number), motion_of(scene)
    shifted = scene.but(beats=scene.beats - 0.11 - 0.13 * (number % 3))
    clips = []
    for index, each in enumerate((scene, shifted)):
        path = folder / f"sound-{index}.wav"
        write_sound(each, path, frames=frames, other=number if number // 2 % 2 else None)
        clips.append(measure.beside(render("a2v", {**request(scene, number, frames=frames), "audio": path}), path))
    one, other = (measure.correlation(measure.beat(clip, wanted), measure.envelope(clip)) for clip in clips)
    crossed = measure.correlation(measure.beat(clips[0], wanted), measure.envelope(clips[1]))
    differ = measure.psnr(*(clip.frames for clip in clips)) < 30
    return {"follows the sound": one, "another sound, another picture": crossed < min(one, other) and differ}


def judge_lips(render: Render, scene: Scenes, number: int, folder: Path) -> Found:
    """Check that the mouth follows the given voice, not the clip's own, and that the face stays the given one."""
    frames = length(number)
    quiet = scene.but(strength=scene.strength * 0)
    portrait = write_frame(quiet, folder / "face.png", frames=frames, index=0, width=WIDTH, height=HEIGHT)
    voice = write_sound(scene, folder / "voice.wav", frames=frames, other=number if number % 2 else None)
    values = {**request(scene, number, frames=frames), "image": portrait, "audio": voice}
    clip = measure.beside(render("lipsync", values), voice)
    box = mouth_box(scene)
    given = np.repeat(picture(portrait)[None], len(clip.frames), 0)
    elsewhere = np.ones((HEIGHT, WIDTH), dtype=bool)
    elsewhere[measure.within(clip, box)] = False
    face = face_of(scene) & elsewhere
    return {
        "mouth and loudness": measure.correlation(measure.mouth(clip, box), measure.envelope(clip)),
        "outside of the mouth": measure.psnr(clip.frames[:, elsewhere], given[:, elsewhere]),
        "the face alone, without its mouth": measure.psnr(clip.frames[:, face], given[:, face]),
    }


def face_of(scene: Scenes) -> NDArray[np.bool_]:
    """Return which pixels belong to the face, (HEIGHT, WIDTH)."""
    state, *_ = frame_state(scene, 1, WIDTH, HEIGHT, 24.0)
    x, y, radius = (float(each[0, 0]) * HEIGHT for each in (state.x, state.y, state.radius))
    down, across = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    face: NDArray[np.bool_] = np.hypot(across - x, down - y) < radius
    return face


def mouth_box(scene: Scenes) -> tuple[float, float, float, float]:
    """Return the box of a face's mouth, open or closed: left, top, right, bottom as shares of the picture."""
    state, *_ = frame_state(scene, 1, WIDTH, HEIGHT, 24.0)
    x, y, radius = (
        float(state.x[0, 0]),
        float(state.y[0, 0]) + 0.48 * float(state.radius[0, 0]),
        float(state.radius[0, 0]),
    )
    wide, high = 0.46 * radius, 0.4 * radius
    aspect = WIDTH / HEIGHT
    return (x - wide) / aspect, y - high, (x + wide) / aspect, y + high


def judge_style(render: Render, scene: Scenes, number: int, folder: Path) -> Found:
    """Check that a clip in other colours keeps its outlines, and that without the IC-LoRA it does not."""
    given = write_clip(scene, folder / "clip.mp4", frames=25, width=WIDTH, height=HEIGHT)
    wanted = repainted(scene, number)
    values = {**request(wanted, number), "clip": given}
    outline = measure.outline(measure.read(given))

    def kept(strengths: dict[str, float]) -> tuple[Clip, float]:
        clip = render("style", values, strengths=strengths)
        return clip, measure.edge_score(measure.outline(clip), outline)

    clip, edges = kept({})
    _, without = kept({Path(files.IC_LORA).name: 0.0})
    return {
        "edges kept": edges,
        "colours": all(has_colours(clip, wanted)),
        "fails without the IC-LoRA": without < min(EDGES_KEPT, edges - CLEARLY),
    }


def repainted(scene: Scenes, number: int) -> Scenes:
    """Return the scene in two other colours whose sentence was kept out of training."""
    pairs = [
        (colour, background)
        for colour in range(len(COLOURS))
        for background in range(len(BACKGROUNDS))
        if contrasts(colour, background) and colour != int(scene.colour[0]) and background != int(scene.background[0])
    ]
    for colour, background in pairs[number % len(pairs) :] + pairs:
        painted = scene.but(colour=torch.tensor([colour]), background=torch.tensor([background]))
        if is_held_out(painted, 0):
            return painted
    raise ValueError("every sentence about this scene was trained with")


MODES: tuple[Family, ...] = (
    Family(
        "t2v: directions",
        (Line("background", 0.95), Line("colour", 0.95), Line("direction", 0.95), Line("pitch or silence", 0.95)),
        lambda count: held_out(count, "directions", DIRECTIONS),
        judge_words,
    ),
    Family(
        "t2v: rhythms",
        (
            Line("background", 0.95),
            Line("colour", 0.95),
            *(Line(name, 0.85) for name in RHYTHMS),
            Line("pitch or silence", 0.95),
            Line("beats in time", 0.6, median=True),
        ),
        lambda count: held_out(count, "rhythms", RHYTHMS),
        judge_words,
    ),
    Family(
        "i2v",
        (Line("frame 0", 26.0, median=True), Line("motion", 0.9)),
        lambda count: held_out(count, "image", (*DIRECTIONS, *RHYTHMS)),
        judge_image,
    ),
    Family(
        "keyframe",
        (
            Line("first frame", 25.0, median=True),
            Line("last frame", 25.0, median=True),
            Line("the middle is between", 0.9),
        ),
        lambda count: held_out(count, "keyframes", DIRECTIONS),
        judge_keyframes,
    ),
    Family(
        "a2v",
        (Line("follows the sound", 0.6, median=True), Line("another sound, another picture", 0.9)),
        lambda count: held_out(count, "sound", ("pulses", "bounces")),
        judge_sound,
    ),
    Family(
        "lipsync",
        (
            Line("mouth and loudness", 0.6, median=True),
            Line("outside of the mouth", 24.0, median=True),
            Line("the face alone, without its mouth", 24.0, median=True),
        ),
        lambda count: faces(count, "lips"),
        judge_lips,
    ),
    Family(
        "style",
        (Line("edges kept", EDGES_KEPT, median=True), Line("colours", 0.9), Line("fails without the IC-LoRA", 0.9)),
        lambda count: held_out(count, "style", DIRECTIONS, which=edged),
        judge_style,
        loras=(files.DISTILLED_LORA, files.IC_LORA),
    ),
)
