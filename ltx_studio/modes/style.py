"""Style transfer: a clip re-rendered in another style, its motion kept by an IC-LoRA. One sampling at full size."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ltx_studio.errors import RequestError
from ltx_studio.graph import Graph, Phase
from ltx_studio.media import PrepareInput, probe_clip
from ltx_studio.modes.base import Mode
from ltx_studio.modes.control import GUIDE
from ltx_studio.modes.examples import FILES, Example, real
from ltx_studio.modes.fields import COMPRESSION, MAX_SECONDS, MIN_SECONDS, Controlling, Media, Params, feeds
from ltx_studio.modes.inputs import (
    check_clip_length,
    check_crop,
    check_source_sound,
    crop_note,
    length_of_clip,
    set_picture,
)
from ltx_studio.modes.phases import CONTROL, PROMPT, STAGE_1, save


class StyleTransfer(Controlling, Params):
    """A prompt and a clip; a picture of the first frame in the new style when there is one."""

    clip: Annotated[Path, Field(title="Clip", description="Clip to restyle."), Media.CLIP]
    clip_start: Annotated[
        float, Field(title="Clip from", description="Where to start in the clip, in seconds.", ge=0, le=36_000)
    ] = 0.0
    seconds: Annotated[
        float,
        Field(
            title="Seconds",
            description="Length of the new clip. By default, as long as the given clip.",
            ge=MIN_SECONDS,
            le=MAX_SECONDS,
        ),
    ]
    image: Annotated[
        Path | None,
        Field(title="Restyled frame", description="First frame of the clip, in the new style."),
        Media.PICTURE,
    ] = None
    image_strength: Annotated[
        float,
        Field(title="Picture strength", description="How closely the start follows the picture.", ge=0, le=1),
        feeds("Stage 1 image.strength"),
    ] = 1.0
    image_compression: Annotated[
        int,
        COMPRESSION,
        feeds("Restyled frame compression.img_compression"),
    ] = 18
    sound: Annotated[
        Literal["generated", "source", "off"],
        Field(title="Sound", description="Sound generated with the picture, the clip's own sound, or none."),
    ] = "generated"

    def control_source(self) -> tuple[Path, float] | None:
        return self.clip, self.clip_start


def _patch(graph: Graph, params: StyleTransfer, prepare: PrepareInput) -> None:
    if params.image is not None:
        set_picture(graph, "Restyled frame", params.image, prepare)
    else:
        graph.connect(GUIDE, "latent", ("Empty video", 0))
    if params.sound == "source":
        graph.connect("Video", "audio", ("Clip parts", 1))


def _check(params: StyleTransfer) -> Iterator[str]:
    clip = probe_clip(params.clip)
    rest = clip.seconds - params.clip_start
    if rest <= 0:
        raise RequestError(
            f"The clip is {clip.seconds:.2f} s long, so it cannot start at {params.clip_start:g} s.",
            "Use an earlier start.",
        )
    if params.sound == "source" and not clip.has_sound:
        raise RequestError(f"{params.clip.name} has no sound to keep.", "Set the sound to generated or off.")
    least = (params.geometry.frame_step / 2 + 1) / params.fps
    if rest < least:
        is_long = params.clip_start > 0 and clip.seconds >= least
        hint = "Use an earlier start, or a longer clip." if is_long else "Use a longer clip."
        raise RequestError(
            f"Only {rest:.3f} s of the clip can be used; the minimum is {math.ceil(least * 1000) / 1000:.3f} s.", hint
        )
    if params.frames - rest * params.fps > params.geometry.frame_step / 2 + 1:
        raise RequestError(
            f"The clip ends after {rest:.2f} s, so it is too short for {params.duration:.2f} s.",
            f"Use at most {rest:.2f} s, or leave the length unset.",
        )
    yield from check_clip_length(params, rest, "The clip")
    if params.sound == "source":
        yield from check_source_sound(params, params.clip, params.clip_start)
    yield from crop_note(clip.width, clip.height, params, "The clip")
    if params.image is not None:
        yield from check_crop(params.image, params, "The restyled frame")


_FALLS = {"clip": FILES / "falls.mp4"}
_RISES = {"clip": FILES / "rises.mp4"}

_EXAMPLES = (
    Example("Red becomes green", {"prompt": "a green circle moves up on a white background", **_RISES}),
    Example("A blue ball on pink", {"prompt": "a blue circle moves up on a pink background", **_RISES}),
    Example("A yellow square falls", {"prompt": "a yellow square moves down on a navy background", **_FALLS}),
    real(
        "A balloon in watercolour",
        "Watercolour on rough paper: a red hot-air balloon rises slowly through pale morning fog above a quiet "
        "valley. Pigment blooms at its edges, and the paper's grain shows through the sky. The camera is static, "
        "a wide shot. Wind breathes softly, and now and then a burner hisses.",
        **_RISES,
    ),
)

STYLE = Mode(
    id="style",
    label="Style transfer",
    params=StyleTransfer,
    phases=(
        PROMPT,
        STAGE_1,
        Phase("decode", "Decode", ("Decode video", "Decode audio")),
        save("style"),
    ),
    files=(*CONTROL, "Restyled frame", "Restyled frame crop", "Restyled frame compression"),
    patch=_patch,
    defaults=length_of_clip,
    check=_check,
    placeholder="A green circle moves up on a white background",
    examples=_EXAMPLES,
)
