"""The forming clip: a preview looks like the clip that is being made, and shows that clip only."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

from ltx_studio.engine import Engine
from ltx_studio.engine.preview import ClipPreviewer, Factors, Previews
from ltx_studio.events import Finished, Preview, Step
from ltx_studio.graph import Workflow
from ltx_studio.media import InputPreparer
from ltx_studio.pocket import files
from ltx_studio.settings import Settings
from tests.fixtures import Request
from tests.support import brief_workflow, collect, small_spec, small_workflow

FRAMES = (17 - 1) // 8 + 1
LIKE_THE_CLIP = 20.0
"""dB. ComfyUI's own factors give about 14 here, those of the pocket's VAE 23 and more."""


class Made:
    """What a run told and made."""

    def __init__(self, engine: Engine, workflow: Workflow) -> None:
        events = collect(engine.run(workflow))
        self.previews = [event for event in events if isinstance(event, Preview)]
        self.steps = [(event.phase, event.step) for event in events if isinstance(event, Step)]
        assert isinstance(events[-1], Finished), events[-1]
        self.clip = events[-1].outputs[0].path

    def likeness(self, preview: Preview) -> float:
        """PSNR in dB between a preview and the clip, each latent frame against the mean of its eight frames."""
        clip = frames_of(self.clip)
        means = [clip[0], *clip[1:].reshape(-1, 8, *clip.shape[1:]).mean(1)]
        error = [
            np.square(shrunk(frame) - shrunk(mean)).mean() for frame, mean in zip(shown(preview), means, strict=True)
        ]
        return float(10 * np.log10(255**2 / np.mean(error)))


def frames_of(path: Path) -> NDArray[np.float64]:
    with av.open(path) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(float)


def shown(preview: Preview) -> Sequence[NDArray[np.float64]]:
    return [np.asarray(Image.open(io.BytesIO(jpeg)), dtype=float) for jpeg in preview.frames]


def shrunk(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """To 32 × 32."""
    image = Image.fromarray(picture.round().astype(np.uint8))
    return np.asarray(image.resize((32, 32), Image.Resampling.BOX), dtype=float)


@pytest.fixture(scope="module")
def made(engine: Engine) -> Made:
    return Made(engine, small_workflow())


def test_the_last_preview_looks_like_the_clip(made: Made) -> None:
    assert made.likeness(made.previews[-1]) > LIKE_THE_CLIP


def test_the_clip_forms(made: Made) -> None:
    assert made.likeness(made.previews[-1]) > made.likeness(made.previews[0]) + 1


@pytest.fixture(scope="module")
def other(made: Made, engine: Engine) -> Made:
    """The same run with ComfyUI's own factors, after that with the pocket model's."""
    return Made(engine, replace(small_workflow(), preview=""))


def test_comfyuis_own_factors_do_not_fit_the_pockets_vae(made: Made, other: Made) -> None:
    assert other.likeness(other.previews[-1]) < LIKE_THE_CLIP - 3
    assert np.array_equal(frames_of(other.clip), frames_of(made.clip)), "what is shown changes what is made"


def test_each_step_from_the_second_on_is_shown_once(made: Made) -> None:
    seen = [(preview.phase, preview.step) for preview in made.previews]

    assert seen == [(phase, step) for phase, last in (("stage1", 8), ("stage2", 3)) for step in range(2, last + 1)]
    assert {("stage1", 1), ("stage2", 1)} <= set(made.steps), "a step that is not shown is told all the same"


@pytest.mark.parametrize(
    ("mode", "more"), [("keyframe", {}), ("keyframe", {"control": "canny"}), ("style", {})], ids=str
)
def test_guides_are_not_shown(
    mode: str, more: dict[str, Any], small: Request, samples: Any, few_steps: None, engine: Engine, settings: Settings
) -> None:
    clip = {"control_clip": samples["clip"]} if more else {}
    phase = InputPreparer(settings.inputs_dir, settings.models_dir / "loras")
    workflow = small_spec(mode, **small(mode, **more, **clip)).build(phase)

    made = Made(engine, workflow)

    assert {len(preview.frames) for preview in made.previews} == {FRAMES}
    # guides of another order would show frames that are not the clip's
    assert made.likeness(made.previews[-1]) > made.likeness(swapped(made.previews[-1]))


def swapped(preview: Preview) -> Preview:
    """With its frames in the opposite order."""
    return replace(preview, frames=preview.frames[::-1])


def test_the_next_run_has_its_own_factors(made: Made, other: Made, engine: Engine) -> None:
    known = Made(engine, small_workflow())

    assert other.previews[-1].frames != made.previews[-1].frames
    assert known.previews[-1].frames == made.previews[-1].frames


@pytest.mark.parametrize("content", [None, b"", b"no factors", "other tensors", "other rows"], ids=str)
def test_without_usable_factors_there_are_comfyuis(
    content: bytes | str | None, engine: Engine, settings: Settings
) -> None:
    path = settings.models_dir / "vae_approx" / "damaged.safetensors"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        weight, bias = torch.zeros(192, 128), torch.zeros(192)
        save_file({"weight": weight} if content == "other tensors" else {"weight": weight[:5], "bias": bias[:5]}, path)
    try:
        made = Made(engine, replace(brief_workflow(), preview=path.name))
    finally:
        path.unlink(missing_ok=True)

    assert len(made.previews) == 2, "of the second step of each stage"
    assert {len(preview.frames) for preview in made.previews} == {FRAMES}


def test_factors_of_another_latent_are_left_alone(engine: Engine) -> None:
    from comfy.latent_formats import LTXAV, SD15, Wan21

    previews = Previews()
    previews.use(files.SHIPPED / files.PREVIEW)
    found = [previews.previewer(kind()) for kind in (LTXAV, Wan21)]

    sides = [
        each.decode_latent_to_preview_image("JPEG", torch.zeros(1, 1, 1, 1, 1)).factors.side for each in found if each
    ]
    assert sides == [8, 1]
    assert previews.previewer(SD15()) is None


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_what_is_no_number_is_grey(wrong: float, kind: torch.dtype) -> None:
    factors = Factors.of_file(files.SHIPPED / files.PREVIEW)
    latent = torch.zeros(1, 128, 2, 3, 4, dtype=kind)
    latent[:, :, 1] = wrong

    jpegs = ClipPreviewer(factors).decode_latent_to_preview_image("JPEG", latent).jpegs(None)

    first, second = (Image.open(io.BytesIO(jpeg)) for jpeg in jpegs)
    assert first.size == second.size == (256, 192)
    assert np.abs(np.asarray(second, dtype=float) - 127).max() <= 2
    assert np.asarray(first).std() > 2, "the other frame has lost its colours"


def test_the_factors_stay_out_of_what_sampling_leaves_as_noise() -> None:
    from lab.training.rest import read_rest

    factors, rest = Factors.of_file(files.SHIPPED / files.PREVIEW), read_rest(files.SHIPPED / files.REST).video

    assert (factors.weight @ rest).norm() < 0.01 * factors.weight.norm()
    assert (files.SHIPPED / files.PREVIEW).stat().st_size < 64_000
