"""Every mode and preset on the pocket model: what is asked for is what comes out, and every field acts."""

import copy
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
import pytest
from PIL import Image

from ltx_studio.engine import Engine
from ltx_studio.events import Preview
from ltx_studio.families.ltx_2_3 import DRAFT, PRESETS
from ltx_studio.graph.graph import upstream
from ltx_studio.media import InputPreparer
from ltx_studio.modes import MODES
from ltx_studio.modes.fields import OF_PRESET, TUNING
from ltx_studio.pocket import files as pocket_files
from ltx_studio.queue import JobSpec
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.takes import measure
from tests.fixtures import Request
from tests.samples import sound_of, write_film, write_sound
from tests.support import DATA, MODEL_SETS, carried_out, frames_digest, outcome_of

POCKET = MODEL_SETS["pocket"]
WIDE = {"width": 256, "height": 128, "seconds": 0.7, "fps": 12.0}
GUIDED = ("balanced", "quality")
GIVEN_SOUND = ("a2v", "lipsync")


@pytest.fixture(scope="module")
def render(engine: Engine, settings: Settings) -> Iterator[Any]:
    """``render("i2v", "fast", values)`` → the file; equal requests are rendered once for each number of steps."""
    runner = LocalRunner(settings, engine)
    made: dict[str, Path] = {}

    def run(mode: str, preset: str, values: Mapping[str, Any], steps: str = "all") -> Path:
        key = f"{mode} {preset} {steps} {sorted(values.items())}"
        if key not in made:
            outcome = outcome_of(carried_out(runner, JobSpec.from_request(mode, values, MODEL_SETS["pocket"], preset)))
            made[key] = outcome.outputs[0].path  # type: ignore[union-attr]  # a failure shows itself here
        return made[key]

    yield run
    assert len(set(made.values())) == len(made), "two clips share a file"


@pytest.fixture
def render_briefly(few_steps: None, render: Any) -> Any:
    """`render`, in few steps."""
    return partial(render, steps="few")


class Rows:
    """Counts the rows that go through the transformer, by the size of the latent."""

    def __init__(self) -> None:
        self.by_size: dict[int, int] = {}
        self.steers = True
        """Whether each pass computes; else, it gives again what the first pass of its shape gave."""

    @property
    def stages(self) -> tuple[int, ...]:
        return tuple(self.by_size[size] for size in sorted(self.by_size))


@pytest.fixture
def rows(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Rows:
    from comfy.ldm.lightricks.av_model import LTXAVModel

    counted, forward = Rows(), LTXAVModel.forward
    given: dict[Any, Any] = {}

    def count(model: Any, x: Any, *arguments: Any, **options: Any) -> Any:
        video = x[0] if isinstance(x, list) else x
        size = int(video.shape[-1] * video.shape[-2])
        counted.by_size[size] = counted.by_size.get(size, 0) + len(video)
        if counted.steers or video.shape not in given:
            given[video.shape] = forward(model, x, *arguments, **options)
        return copy.deepcopy(given[video.shape])

    monkeypatch.setattr(LTXAVModel, "forward", count)
    return counted


def _sampled(mode: str, preset: str) -> Any:
    """A mode with a preset; guided presets have many passes, so `make test` runs them for two modes only."""
    is_long = preset in GUIDED and mode not in ("t2v", "style")
    return pytest.param(mode, preset, id=f"{mode}-{preset}", marks=[pytest.mark.thorough] if is_long else [])


@pytest.mark.parametrize(("mode", "preset"), [_sampled(mode, preset) for mode in MODES for preset in PRESETS])
def test_gives_the_size_the_length_and_the_sound_with_the_declared_passes(
    mode: str, preset: str, small: Request, rows: Rows, render: Any
) -> None:
    rows.steers = preset not in GUIDED or (mode, preset) == ("t2v", "balanced")  # what many passes make
    take = measure(render(mode, preset, small(mode, **WIDE)))

    half = PRESETS[preset] is DRAFT
    assert (take.width, take.height) == ((128, 64) if half else (256, 128))
    assert (take.frames, take.fps) == (9, 12)
    sound, rate = sound_of(take.path)
    assert len(sound) / rate == pytest.approx(9 / 12, abs=0.08)
    assert np.abs(sound).max() > 0
    assert rows.stages == PRESETS[preset].passes(POCKET, stages=MODES[mode].samplings)


def test_the_declared_passes_are_those_of_the_recipes() -> None:
    passes = {preset.id: preset.passes(POCKET, stages=2) for preset in PRESETS.values()}

    assert passes == {"fast": (8, 3), "balanced": (30 * 4, 3), "quality": (29 * 3, 5), "draft": (8,)}


CONTROL: dict[str, Any] = {
    "control": "ready",
    "ic_lora": "detailer",
    "ic_lora_strength": 0.3,
    "control_strength": 0.4,
    "edge_threshold": 0.02,
}
COMMON: dict[str, Any] = {
    "prompt": "a blue square",
    "negative_prompt": "blurry",
    "seconds": 0.4,
    "fps": 12.0,
    "width": 192,
    "height": 192,
    "seed": 8,
    "camera": "jib-up",
    "camera_strength": 0.3,
    "loras": "a lora",
    "steps": 4,
    "guidance": 9.0,
    "sound_guidance": 2.0,
    "stg": 3.0,
    "sampler": "seeds_2",
    "schedule": "beta",
}
PICTURE: dict[str, Any] = {"image": "last", "image_strength": 0.2, "image_compression": 90}
SOUND: dict[str, Any] = {"audio": "other sound", "audio_start": 0.2}
CHANGES: dict[str, dict[str, Any]] = {
    "t2v": {**COMMON, "sound": "off"},
    "a2v": {**COMMON, **SOUND},
    "i2v": {**COMMON, **PICTURE, **CONTROL, "sound": "off", "control_clip": "rolling"},
    "lipsync": {**COMMON, **PICTURE, **SOUND, **CONTROL, "control_clip": "rolling"},
    "keyframe": {
        **COMMON,
        **CONTROL,
        "control_clip": "rolling",
        "first_image": "last",
        "last_image": "image",
        "first_strength": 0.2,
        "last_strength": 0.2,
        "image_compression": 90,
        "sound": "off",
    },
    "style": {**COMMON, **PICTURE, **CONTROL, "clip": "rolling", "clip_start": 0.2, "sound": "source"},
}
"""Another value for every field of every mode; of a file, the name of a sample."""

MEASURED = {"width", "height", "seconds", "fps", "sound"}
"""Fields that other tests here look for in the clip of each mode: these have the values of `WIDE`, or no sound."""

NEEDS: dict[str, dict[str, Any]] = {
    "camera_strength": {"camera": "dolly-in"},
    "control": {"control_clip": "clip"},
    "ic_lora": {"control_clip": "clip", "control": "ready"},
    "ic_lora_strength": {"control_clip": "clip"},
    "control_strength": {"control_clip": "clip"},
    "edge_threshold": {"control_clip": "rolling", "clip": "rolling"},
    "image_strength": {"image": "image"},
    "image_compression": {"image": "image"},
}
"""What else a field needs to act."""


def test_no_field_is_forgotten() -> None:
    assert {mode: set(changes) for mode, changes in CHANGES.items()} == {
        mode.id: set(mode.params.model_fields) for mode in MODES.values()
    }


OF_GUIDED = {"negative_prompt", *TUNING} - {"sampler"}
"""Fields that only guided presets obey."""


def _acts(mode: str, field: str) -> bool:
    return field != "sound_guidance" or mode not in GIVEN_SOUND


def _changed(mode: str, field: str) -> Any:
    is_long = (field in OF_GUIDED and mode not in ("t2v", "style")) or (field in TUNING and mode != "t2v")
    return pytest.param(mode, field, id=f"{mode}-{field}", marks=[pytest.mark.thorough] if is_long else [])


@pytest.mark.parametrize(
    ("mode", "field"),
    [_changed(mode, field) for mode, changes in CHANGES.items() for field in changes if _acts(mode, field)],
)
def test_every_field_changes_the_graph_and_what_comes_out(
    mode: str, field: str, small: Request, samples: Mapping[str, Path], render_briefly: Any, settings: Settings
) -> None:
    def real(name: str, value: Any) -> Any:
        if name == "loras":
            return ({"file": str(settings.models_dir / pocket_files.POSE_LORA), "strength": 2.0},)
        return samples[value] if name in MODES[mode].media else value

    needs = {name: value for name, value in NEEDS.get(field, {}).items() if name in CHANGES[mode]}
    preset, size = ("quality", WIDE) if field in OF_GUIDED else ("draft", {})
    before = small(mode, **size, **{name: real(name, value) for name, value in needs.items()})
    after = {**before, field: real(field, CHANGES[mode][field])}

    stage = InputPreparer(settings.inputs_dir, settings.models_dir / "loras")
    for graphs_of in {preset, "fast"} - ({"fast"} if field in OF_GUIDED else set()):
        graphs = [
            JobSpec.from_request(mode, values, MODEL_SETS["pocket"], graphs_of).build(stage).graph
            for values in (before, after)
        ]
        assert seen_by_the_output(graphs[0]) != seen_by_the_output(graphs[1])

    if field in MEASURED:
        return
    clips = [render_briefly(mode, preset, values) for values in (before, after)]
    assert described(clips[0]) != described(clips[1])


@pytest.mark.parametrize("field", ["sampler", "schedule"])
def test_each_sampler_and_schedule_makes_a_clip_of_its_own(field: str, small: Request, render: Any) -> None:
    names = [each for each in get_args(MODES["t2v"].params.model_fields[field].annotation) if each != OF_PRESET]

    made = {name: frames_digest(render("t2v", "balanced", small("t2v", steps=2, **{field: name}))) for name in names}

    assert len(set(made.values())) == len(names) >= 5


def seen_by_the_output(graph: Mapping[str, Any]) -> list[str]:
    """Every node upstream of the output, without its number."""
    ends = [node_id for node_id, node in graph.items() if node["class_type"] == "SaveVideo"]
    return sorted(f"{graph[node_id]['_meta']} {_named(graph, node_id)}" for node_id in upstream(graph, ends))


def _named(graph: Mapping[str, Any], node_id: str) -> dict[str, Any]:
    return {
        name: [graph[value[0]]["_meta"]["title"], value[1]] if isinstance(value, list) else value
        for name, value in graph[node_id]["inputs"].items()
    }


def described(clip: Path) -> tuple[Any, ...]:
    take = measure(clip)
    sound, _ = sound_of(clip)
    return frames_digest(clip), take.seconds, sound.tobytes()


@pytest.mark.parametrize(
    ("seconds", "rate", "channels"),
    [(0.3, 48_000, 1), (3.0, 48_000, 2), (0.9, 8_000, 1), (0.9, 44_100, 6)],
    ids=["too short", "too long", "mono at 8 kHz", "six channels"],
)
@pytest.mark.parametrize("mode", GIVEN_SOUND)
def test_the_users_sound_comes_out_as_it_went_in(
    mode: str, seconds: float, rate: int, channels: int, small: Request, render_briefly: Any, tmp_path: Path
) -> None:
    given = write_sound(tmp_path / "a.wav", seconds, rate=rate, channels=channels)

    heard, heard_rate = sound_of(render_briefly(mode, "fast", small(mode, audio=given, seconds=1.4)))

    expected = np.zeros_like(heard)
    times = np.arange(len(heard)) / heard_rate
    original, _ = sound_of(given)
    inside = times < min(seconds, len(original) / rate)
    expected[inside] = np.interp(times[inside], np.arange(len(original)) / rate, original)
    assert len(heard) / heard_rate == pytest.approx(33 / 24, abs=0.05)
    assert correlation(heard, expected) >= 0.99
    if seconds < 1:
        after = heard[round((seconds + 0.1) * heard_rate) :]
        assert np.abs(after).max() < 0.01, "the rest is not silent"


def correlation(one: Any, other: Any) -> float:
    """The largest normalised cross-correlation at any shift of up to a tenth of a second."""
    reach, best = 4800, 0.0
    for shift in range(-reach, reach + 1, 1):
        if shift % 16 and abs(shift) > 64:
            continue
        a, b = (one[shift:], other[: len(other) - shift]) if shift >= 0 else (one[:shift], other[-shift:])
        best = max(best, float(np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9)))
    return best


def test_the_sounds_beginning_can_be_chosen(small: Request, render_briefly: Any, tmp_path: Path) -> None:
    given = write_sound(tmp_path / "a.wav", 3.0)

    heard, rate = sound_of(render_briefly("a2v", "fast", small("a2v", audio=given, audio_start=1.5)))

    original, _ = sound_of(given)
    assert correlation(heard, original[round(1.5 * rate) :][: len(heard)]) >= 0.99


def test_the_clips_own_sound_can_be_kept(small: Request, render_briefly: Any, samples: Mapping[str, Path]) -> None:
    heard, rate = sound_of(render_briefly("style", "fast", small("style", sound="source")))

    original, _ = sound_of(samples["clip"])
    assert len(heard) / rate == pytest.approx(17 / 24, abs=0.05)
    assert correlation(heard, original[: len(heard)]) >= 0.99


@pytest.mark.parametrize("mode", ["t2v", "i2v", "keyframe", "style"])
def test_without_sound_there_is_none_and_the_pictures_are_the_same(
    mode: str, small: Request, render_briefly: Any
) -> None:
    silent, loud = (render_briefly(mode, "fast", small(mode, sound=sound)) for sound in ("off", "generated"))

    assert len(sound_of(silent)[0]) == 0
    assert frames_digest(silent) == frames_digest(loud)


@pytest.mark.parametrize(
    "size", [(5472, 3648), (40, 700), (33, 33)], ids=["20 megapixels", "very tall", "hardly anything"]
)
def test_unusual_pictures_are_rendered(
    size: tuple[int, int], small: Request, render_briefly: Any, tmp_path: Path
) -> None:
    picture = tmp_path / "a.png"
    Image.linear_gradient("L").resize(size).convert("RGB").save(picture, compress_level=1)

    take = measure(render_briefly("i2v", "draft", small("i2v", image=picture, width=None, height=None)))

    assert take.frames == 17
    assert (take.height > take.width) == (size[1] > size[0])


@pytest.mark.parametrize(("fps", "seconds"), [(30, 1.0), (60, 0.5), (10, 2.0)])
def test_clips_of_any_frame_rate_are_restyled(
    fps: float, seconds: float, small: Request, render_briefly: Any, tmp_path: Path
) -> None:
    clip = write_film(tmp_path / "a.mp4", fps=fps, frames=round(fps * seconds))

    take = measure(render_briefly("style", "fast", small("style", clip=clip, seconds=None)))

    assert take.seconds == pytest.approx((8 * ((round(24 * seconds) - 1) // 8) + 1) / 24, abs=0.001)  # down to 8k+1
    assert take.fps == 24


@pytest.mark.parametrize("mode", ["keyframe", "style"])
def test_previews_show_the_clip_and_not_its_guides(
    mode: str, small: Request, few_steps: None, engine: Engine, settings: Settings
) -> None:
    spec = JobSpec.from_request(mode, small(mode), MODEL_SETS["pocket"])

    previews = [event for event in carried_out(LocalRunner(settings, engine), spec) if isinstance(event, Preview)]

    assert {len(preview.frames) for preview in previews} == {(17 - 1) // 8 + 1}


@pytest.mark.parametrize("mode", GIVEN_SOUND)
def test_the_last_word_of_a_sound_is_in_the_clip(mode: str, small: Request, render_briefly: Any) -> None:
    made = render_briefly(mode, "draft", small(mode, audio=DATA / "end185.wav", seconds=None))

    sound, rate = sound_of(made)
    assert measure(made).frames == 49
    assert np.argmax(np.abs(sound)) / rate == pytest.approx(1.82, abs=0.03)
    assert np.abs(sound).max() > 0.3


def test_clips_with_little_contrast_steer_as_they_move(small: Request, render_briefly: Any) -> None:
    """The prompt alone moves the circle evenly: its place half-way is the same for both clips."""
    asked = {"prompt": "a blue circle moves right on a gray background", "seconds": None, "sound": "off"}
    places = {}
    for name in ("fast", "late"):
        values = small("style", **asked, clip=DATA / f"circle-{name}.mp4")
        places[name] = [place_across(frame) for frame in frames_of(render_briefly("style", "fast", values))]

    assert places["fast"][24] > 0.6, "it has crossed in the first second"
    assert places["late"][24] < 0.4, "it has not begun"
    assert places["late"][48] > 0.6


def frames_of(path: Path) -> list[Any]:
    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24").astype(float) for frame in container.decode(video=0)]


def place_across(frame: Any) -> float:
    """Where what differs from the background is, 0 at the left and 1 at the right."""
    background = np.median(frame.reshape(-1, 3), axis=0)
    return float(np.nonzero(np.abs(frame - background).sum(axis=2) > 60)[1].mean() / frame.shape[1])
