"""Judges of presets, the negative prompt and the LoRAs: whether they do what they promise."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lab.obey import measure
from lab.obey.measure import RGB, Clip
from lab.obey.scenes import FPS, Which, edged, held_out, on_promised_background, write_clip, write_pictures
from lab.obey.trials import (
    DIRECTIONS,
    HEIGHT,
    WIDTH,
    Family,
    Found,
    Line,
    Render,
    background_of,
    is_all_right,
    motion_of,
    request,
)
from lab.world.controls import control
from lab.world.draw import render as draw
from lab.world.palette import COLOURS
from lab.world.scenes import CAMERAS, SUBJECTS, Scenes
from ltx_studio.pocket import files

DISTILLED = Path(files.DISTILLED_LORA).name
Ask = Callable[[Scenes, int, Path, float], tuple[str, Mapping[str, Any]]]
"""A function from a scene, its number, a folder and the LoRA's strength to a mode and its values."""
STRENGTHS = 0.0, 0.5, 1.0
HALVES = "0 to ½", "½ to 1"
BEATING = "bounces", "pulses"
NEGATIVE = "what is named is gone, and something else is there", "it stays where another colour is named"
OTHER_COLOUR = 0.4
"""Distance in RGB from which a colour is a different one; yellow and orange, the nearest two, have 0.45."""


def judge_presets(render: Render, scene: Scenes, number: int, _folder: Path) -> Found:
    """Check that Fast benefits from its distilled LoRA, the slower ones are not worse, and Draft shows the same take.

    That LoRA is tested on scenes that beat: colours and directions are right without it too.
    """
    values = request(scene, number)
    clips = {preset: render("t2v", values, preset=preset) for preset in ("fast", "balanced", "quality", "draft")}
    other = render("t2v", {**values, "seed": values["seed"] + 5000}, preset="draft")
    small = measure.shrunk(clips["fast"], 2)
    found: Found = {
        **{f"{preset} is right": is_all_right(clips[preset], scene) for preset in ("fast", "balanced", "quality")},
        "Draft is the same take": (
            measure.psnr(clips["draft"].frames, small.frames) > measure.psnr(other.frames, small.frames)
        ),
    }
    if motion_of(scene) not in BEATING:
        return found
    bare = render("t2v", values, strengths={DISTILLED: 0.0})
    better = not is_all_right(bare, scene) or _together(clips["fast"], scene) > _together(bare, scene)
    return {**found, "Fast beats the base model at its steps": is_all_right(clips["fast"], scene) and better}


def _together(clip: Clip, scene: Scenes) -> float:
    return measure.correlation(measure.beat(clip, motion_of(scene)), measure.envelope(clip))


def judge_negative(render: Render, scene: Scenes, number: int, _folder: Path) -> Found:
    """Check that a subject of unnamed colour is still there, in another colour than the negative prompt names.

    This is not an effect of any negative prompt: if it names another colour, the subject's stays.
    """
    shape = SUBJECTS[int(scene.subject[0])]
    prompt = f"a {shape} {motion_of(scene)} on a {background_of(scene)} background"
    values = {**request(scene, number), "prompt": prompt}

    def shown(negative: str) -> RGB | None:
        clip = render("t2v", {**values, "negative_prompt": negative}, preset="balanced")
        return measure.colour(clip) if measure.track(clip).is_there else None

    before = shown("")
    if before is None:
        return dict.fromkeys(NEGATIVE, False)
    name = measure.nearest(before, COLOURS)
    others = [each for each in COLOURS if measure.distance(COLOURS[each], before) > OTHER_COLOUR]
    without, without_other = shown(f"a {name} {shape}"), shown(f"a {others[number % len(others)]} {shape}")
    found = (
        without is not None and measure.distance(without, before) > OTHER_COLOUR,
        without_other is not None and measure.distance(without_other, before) < OTHER_COLOUR,
    )
    return dict(zip(NEGATIVE, found, strict=True))


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of a LoRA on a clip, as a number that grows with it.

    Attributes:
        name: The LoRA's name.
        file: The LoRA's file.
        ask: Returns the request.
        size: Returns the number for a clip and a scene; NaN if there is nothing to measure, which counts as no growth.
        steps: Minimum growth with each half of the strength.
        motions: The subjects' motions in the cases.
        which: Selects eligible scenes; all by default.
        share: Share of the number of cases in other families.
        middle: Whether subjects are centred, to give a camera room to move. Otherwise they stay where they were drawn.
    """

    name: str
    file: str
    ask: Ask
    size: Callable[[Clip, Scenes], float]
    steps: tuple[float, float]
    motions: tuple[str, ...] = ("stays still",)
    which: Which | None = None
    middle: bool = False
    share: float = 0.25

    def judge(self, render: Render, scene: Scenes, number: int, folder: Path) -> Found:
        sizes = []
        for strength in STRENGTHS:
            mode, values = self.ask(scene, number, folder, strength)
            sizes.append(self.size(render(mode, values, strengths={Path(self.file).name: strength}), scene))
        grown = np.nan_to_num(np.diff(sizes))
        return {name: float(each) for name, each in zip(HALVES, grown, strict=True)}

    @property
    def lines(self) -> tuple[Line, Line]:
        first, second = (Line(name, step, median=True) for name, step in zip(HALVES, self.steps, strict=True))
        return first, second

    def cases(self, count: int) -> Scenes:
        """Return scenes that it can be tested on."""
        scenes = held_out(count, "loras", self.motions, which=self.which)
        return scenes.but(place=torch.full_like(scenes.place, 0.5)) if self.middle else scenes


def _camera(move: str) -> Ask:
    def ask(scene: Scenes, number: int, _folder: Path, _strength: float) -> tuple[str, Mapping[str, Any]]:
        values = request(scene, number)
        if move == "static":
            values["prompt"] += ", camera dolly left"
        return "t2v", {**values, "camera": move}

    return ask


def _moved(axis: str, sign: int) -> Callable[[Clip, Scenes], float]:
    def size(clip: Clip, _scene: Scenes) -> float:
        found = measure.track(clip)
        return sign * _gone(getattr(found, axis)) if found.is_there else math.nan

    return size


def _grown(sign: int) -> Callable[[Clip, Scenes], float]:
    def size(clip: Clip, _scene: Scenes) -> float:
        found = measure.track(clip)
        return sign * _gone(np.log(found.area.clip(min=measure.SMALL))) if found.is_there else math.nan

    return size


def _stillness(clip: Clip, _scene: Scenes) -> float:
    found = measure.track(clip)
    return -abs(_gone(found.x)) if found.is_there else math.nan


def _gone(values: measure.Array) -> float:
    """Return the change from the first frames to the last."""
    return float(values[-3:].mean() - values[:3].mean())


def sketched(clip: Clip, _scene: Scenes) -> float:
    """Return the whiteness of a picture that has dark lines too: an all-white one is not a sketch."""
    lines = clip.frames.min(-1) < 0.5
    return measure.whiteness(clip) if lines.mean() > 0.002 else math.nan


def _sketch(scene: Scenes, number: int, _folder: Path, strength: float) -> tuple[str, Mapping[str, Any]]:
    """Return a request with a user's own LoRA, whose name in the graph is another one."""
    return "t2v", {
        **request(scene, number),
        "loras": ({"file": files.SHIPPED / files.STYLE_LORA, "strength": strength},),
    }


def _ready(kind: str, ic_lora: str) -> Ask:
    """Return a request maker for style with a drawn control clip; without the IC-LoRA, it has no control clip either.

    Without the IC-LoRA's size of control clips, ComfyUI would take one for full-size, and the base model would copy it.
    """

    def ask(scene: Scenes, number: int, folder: Path, strength: float) -> tuple[str, Mapping[str, Any]]:
        if not strength and kind != "soft":
            return _words(scene, number, folder, strength)
        clip = draw(scene, 25, WIDTH, HEIGHT, FPS)
        path = write_pictures(control(kind, scene, clip, FPS), folder / "control.mp4")
        return "style", {**request(scene, number), "clip": path, "control": "ready", "ic_lora": ic_lora}

    return ask


def _words(scene: Scenes, number: int, _folder: Path, _strength: float) -> tuple[str, Mapping[str, Any]]:
    return "t2v", request(scene, number)


def _canny(scene: Scenes, number: int, folder: Path, strength: float) -> tuple[str, Mapping[str, Any]]:
    """Return a request with the edges of a clip; without the IC-LoRA with words alone, as with a drawn control clip."""
    if not strength:
        return _words(scene, number, folder, strength)
    path = write_clip(scene, folder / "clip.mp4", frames=25, width=WIDTH, height=HEIGHT)
    return "style", {**request(scene, number), "clip": path}


def _outlines(clip: Clip, scene: Scenes) -> float:
    return measure.edge_score(measure.outline(clip), measure.outline(_drawn(scene)))


def detailed(clip: Clip, scene: Scenes) -> float:
    """Return the recovered share of the details that its control clip lost: 0 for none, 1 for all.

    It is linear, unlike PSNR: there half of the way removes three quarters of the error.
    """
    drawn = draw(scene, 25, WIDTH, HEIGHT, FPS)
    soft = _frames(control("soft", scene, drawn, FPS))
    lost = _frames(drawn) - soft
    return float(((clip.frames - soft) * lost).sum() / np.square(lost).sum())


def _drawn(scene: Scenes) -> Clip:
    return Clip(_frames(draw(scene, 25, WIDTH, HEIGHT, FPS)), FPS, measure.NO_SOUND, 16_000)


def _frames(clip: torch.Tensor) -> measure.Array:
    frames: measure.Array = ((clip[0].permute(1, 2, 3, 0) + 1) / 2).double().numpy()
    return frames


PAN, ZOOM = (0.05, 0.05), (0.1, 0.1)
_CAMERAS: Mapping[str, tuple[Callable[[Clip, Scenes], float], tuple[float, float]]] = {
    "static": (_stillness, (0.05, 0.02)),  # at ½ little is left to remove
    "dolly-in": (_grown(1), ZOOM),
    "dolly-out": (_grown(-1), ZOOM),
    "dolly-left": (_moved("x", 1), PAN),
    "dolly-right": (_moved("x", -1), PAN),
    "jib-up": (_moved("y", 1), PAN),
    "jib-down": (_moved("y", -1), PAN),
}
"""The measure of each camera's move, and its minimum growth per half of strength: a quarter of what was taught for the
second half, in units of the short side, or as a logarithm of the subject's area."""

EFFECTS: tuple[Effect, ...] = (
    *(
        Effect(f"camera {move}", files.CAMERA_LORAS[CAMERAS.index(move)], _camera(move), size, steps, middle=True)
        for move, (size, steps) in _CAMERAS.items()
    ),
    Effect("sketch", files.STYLE_LORA, _sketch, sketched, (0.05, 0.05)),
    Effect("union", files.IC_LORA, _canny, _outlines, (0.05, 0.05), which=edged),
    Effect("pose", files.POSE_LORA, _ready("pose", "pose"), _outlines, (0.05, 0.05)),
    Effect("detailer", files.DETAILER_LORA, _ready("soft", "detailer"), detailed, (0.05, 0.05)),
    Effect("distilled", files.DISTILLED_LORA, _words, _together, (0.02, 0.02), BEATING, share=1.0),
)


WAYS: tuple[Family, ...] = (
    Family(
        "presets",
        (
            Line("fast is right", 0.9),
            Line("Fast beats the base model at its steps", 0.8),
            Line("balanced is right", "fast is right"),
            Line("quality is right", "fast is right"),
            Line("Draft is the same take", 0.95),
        ),
        lambda count: held_out(count, "presets", [each for way in DIRECTIONS for each in (*BEATING, way)]),
        judge_presets,
    ),
    Family(
        "negative prompt",
        tuple(Line(name, share) for name, share in zip(NEGATIVE, (0.8, 0.5), strict=True)),
        lambda count: held_out(count, "negative", DIRECTIONS, which=on_promised_background),
        judge_negative,
    ),
    *(
        Family(
            f"LoRA: {effect.name}",
            effect.lines,
            effect.cases,
            effect.judge,
            share=effect.share,
            loras=(files.DISTILLED_LORA, effect.file),
        )
        for effect in EFFECTS
    ),
)
