"""The fields that modes consist of, in groups; each field is declared here once.

A field's metadata gives its title, its range, the graph inputs that it is written to (`feeds`) and, for a file,
its kind of file (`Media`).
"""

import dataclasses
import random
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ltx_studio.families import LTX_2_3, Geometry, Tuning

NEGATIVE_PROMPT = (
    "blurry, out of focus, overexposed, grainy, flickering, jittery motion, frozen picture, distorted faces, "
    "deformed hands, extra limbs, watermark, subtitles, captions, logo, cartoon, video game, flat lighting, "
    "muffled or robotic voice, hiss, echo, speech out of sync"
)
"""Default negative prompt: common flaws of pictures and sound. It acts where there is guidance."""

MIN_SIZE, MAX_SIZE = 128, 4096
"""Pixels of a side; a model family may allow less (`Geometry`)."""

MIN_SECONDS, MAX_SECONDS = 0.3, 20.0
"""Seconds of a clip; a model family may allow less (`Geometry`)."""

DEFAULT_FPS = 24.0

MAX_SEED = 2**53 - 1
"""Largest seed that stays exact in JSON and in JavaScript, whose numbers are doubles."""

MAX_DRAWN_SEED = 2**32 - 1
"""Largest random seed, short enough to read out."""

MAX_LORAS = 16


OF_PRESET = "preset"
"""The choice that leaves something to the preset."""

TUNING = tuple(field.name for field in dataclasses.fields(Tuning))
"""Fields that change the preset."""


def drawn_seed() -> int:
    """Return a random seed."""
    return random.randint(0, MAX_DRAWN_SEED)


class Media(StrEnum):
    """The kind of file that a field takes."""

    PICTURE = "picture"
    SOUND = "sound"
    CLIP = "clip"
    LORA = "lora"


COMFYUI_NAMES = "names of ComfyUI"
"""Marks a field whose choices are names that users of ComfyUI know."""


@dataclass(frozen=True, slots=True)
class Feeds:
    """The graph inputs that a parameter is written to: (title, input) each."""

    sockets: tuple[tuple[str, str], ...]


def feeds(*sockets: str) -> Feeds:
    """Parse sockets such as ``"Prompt.text"``: the node's title up to the first dot, then the input's name."""
    return Feeds(tuple((title, name) for title, _, name in (socket.partition(".") for socket in sockets)))


def refusal(what: str, hint: str) -> PydanticCustomError:
    """Return a validation error with a message and a hint for the user."""
    return PydanticCustomError("refused", "{what}", {"what": what, "hint": hint})


class UserLora(BaseModel):
    """A LoRA of the user's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Annotated[Path, Field(title="File"), Media.LORA]
    strength: Annotated[float, Field(title="Strength", ge=-4, le=4)] = 1.0

    @staticmethod
    def written(text: str) -> dict[str, Any]:
        """Parse ``FILE`` or ``FILE:STRENGTH`` without checking it; ``FILE:0,8`` is 0.8.

        Raises:
            ValueError: The text after the colon is not a number.
        """
        file, colon, strength = text.rpartition(":")
        if not colon or (len(file) == 1 and file.isalpha()):  # C:\\loras\\mine.safetensors
            return {"file": text}
        try:
            return {"file": file, "strength": float(strength.replace(",", "."))}
        except ValueError:
            if "/" in strength or "\\" in strength or strength.endswith(".safetensors"):
                return {"file": text}
            raise ValueError(
                f"{strength!r} is not a strength. Write FILE:STRENGTH, such as style.safetensors:0.8"
            ) from None


class Params(BaseModel):
    """The parameters of every mode. Validated with the geometry of a model family as pydantic's context."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    _geometry: Geometry = PrivateAttr(default=LTX_2_3.geometry)

    prompt: Annotated[
        str,
        Field(title="Prompt", description="Describe what should be seen and heard.", max_length=10_000),
        feeds("Prompt.text"),
    ]
    negative_prompt: Annotated[
        str,
        Field(
            title="Negative prompt",
            description="What to avoid. Only Balanced and Quality use it.",
            max_length=10_000,
        ),
        feeds("Negative prompt.text"),
    ] = NEGATIVE_PROMPT
    seconds: Annotated[
        float, Field(title="Seconds", description="Length of the clip.", ge=MIN_SECONDS, le=MAX_SECONDS)
    ] = 2.0
    fps: Annotated[
        float,
        Field(title="Frames per second", description="Usually 24 or 25.", ge=8, le=50),
        feeds("Frames per second.value"),
    ] = DEFAULT_FPS
    width: Annotated[
        int,
        Field(
            title="Width",
            description="In pixels, rounded to multiples of 64 (128 with a control clip).",
            ge=MIN_SIZE,
            le=MAX_SIZE,
        ),
    ]
    height: Annotated[
        int,
        Field(
            title="Height",
            description="In pixels, rounded to multiples of 64 (128 with a control clip).",
            ge=MIN_SIZE,
            le=MAX_SIZE,
        ),
    ]
    seed: Annotated[
        int,
        Field(title="Seed", description="The same seed gives the same clip. Random by default.", ge=0, le=MAX_SEED),
        feeds("Seed.noise_seed"),
    ] = Field(default_factory=drawn_seed)
    camera: Annotated[
        Literal["none", "static", "dolly-in", "dolly-out", "dolly-left", "dolly-right", "jib-up", "jib-down"],
        Field(title="Camera", description="Camera move, made by a LoRA."),
    ] = "none"
    camera_strength: Annotated[
        float, Field(title="Camera strength", description="Strength of the camera LoRA.", ge=0.05, le=2)
    ] = 1.0
    loras: Annotated[
        tuple[UserLora, ...],
        Field(
            title="LoRAs",
            description="Your own LoRA, with its strength after a colon. Repeatable.",
            max_length=MAX_LORAS,
        ),
    ] = ()
    steps: Annotated[
        int | None,
        Field(title="Steps", description="Sampling steps in stage 1. Set by the preset by default.", ge=2, le=100),
    ] = None
    guidance: Annotated[
        float | None,
        Field(
            title="Picture guidance",
            description="How strictly the picture follows the prompt (CFG). Set by the preset by default; 1 is off.",
            ge=1,
            le=20,
        ),
    ] = None
    sound_guidance: Annotated[
        float | None,
        Field(
            title="Sound guidance",
            description="How strictly the sound follows the prompt (CFG). Set by the preset by default; 1 is off.",
            ge=1,
            le=20,
        ),
    ] = None
    stg: Annotated[
        float | None,
        Field(
            title="STG",
            description="Spatio-temporal guidance, for steadier shapes. Set by the preset by default; 0 is off.",
            ge=0,
            le=5,
        ),
    ] = None
    sampler: Annotated[
        Literal["preset", "euler", "euler_ancestral", "dpmpp_2m", "res_multistep", "seeds_2"],
        Field(title="Sampler", description="ComfyUI sampler for all stages. Set by the preset by default."),
        COMFYUI_NAMES,
    ] = "preset"
    schedule: Annotated[
        Literal["preset", "ltxv", "simple", "normal", "beta", "linear_quadratic"],
        Field(
            title="Schedule",
            description="Noise schedule in stage 1: LTX-2.3's own (ltxv), or one of ComfyUI's.",
        ),
        COMFYUI_NAMES,
    ] = "preset"

    def model_post_init(self, context: Any, /) -> None:
        """Keep the geometry that the request was validated with."""
        if isinstance(context, Geometry):
            self._geometry = context

    @property
    def geometry(self) -> Geometry:
        """Return the legal sizes and lengths of the model family in use."""
        return self._geometry

    @field_validator("prompt")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise refusal("The prompt is empty", "Write a prompt.")
        return value

    @model_validator(mode="after")
    def _of_a_legal_length(self) -> "Params":
        asked, legal = self.seconds * self.fps, self.geometry
        if not legal.min_seconds <= self.seconds <= legal.max_seconds:
            raise refusal(
                f"{self.seconds:g} s is outside the model's range of {legal.min_seconds:g} to {legal.max_seconds:g} s",
                "Use a length in this range.",
            )
        if self.frames > legal.max_frames:
            raise refusal(
                f"{self.frames} frames exceed the model's limit of {legal.max_frames}",
                "Make the clip shorter, or lower its frame rate.",
            )
        if self.frames - asked > legal.frame_step / 2:
            raise refusal(
                f"{asked:g} frames are too few; the minimum is {self.frames}",
                "Make the clip longer, or raise its frame rate.",
            )
        return self

    @property
    def tuning(self) -> Tuning:
        """Return what changes the preset."""
        values = {name: getattr(self, name) for name in TUNING}
        return Tuning(**{name: None if value == OF_PRESET else value for name, value in values.items()})

    @property
    def frames(self) -> int:
        """Return the legal number of frames nearest to `seconds`; video, sound and trim all use it."""
        return self.geometry.frames(self.seconds, self.fps)

    @property
    def latent_frames(self) -> int:
        """Return the number of frames in the clip's latent."""
        return self.geometry.latent_frames(self.frames)

    @property
    def duration(self) -> float:
        """Return the actual length of the clip in seconds."""
        return self.frames / self.fps


class Sounding(BaseModel):
    """Parameters of sound generated with the picture."""

    sound: Annotated[
        Literal["generated", "off"], Field(title="Sound", description="Sound generated with the picture, or none.")
    ] = "generated"


class Voiced(BaseModel):
    """Parameters of the user's sound, which the picture follows."""

    audio: Annotated[Path, Field(title="Sound", description="Sound that the clip follows."), Media.SOUND]
    audio_start: Annotated[
        float,
        Field(title="Sound from", description="Where to start in the sound, in seconds.", ge=0, le=36_000),
    ] = 0.0
    seconds: Annotated[
        float,
        Field(
            title="Seconds",
            description="Length of the clip. By default, as long as the sound.",
            ge=MIN_SECONDS,
            le=MAX_SECONDS,
        ),
    ]


COMPRESSION = Field(
    title="Picture compression",
    description="Adds slight video compression: perfectly clean stills tend not to move.",
    ge=1,
    le=100,
)


class Pictured(BaseModel):
    """Parameters of a picture that the clip begins with."""

    image: Annotated[Path, Field(title="Picture", description="First frame of the clip."), Media.PICTURE]
    image_strength: Annotated[
        float,
        Field(
            title="Picture strength",
            description="How closely the start follows the picture. Lower it if the clip freezes.",
            ge=0,
            le=1,
        ),
        feeds("Stage 1 image.strength"),
    ] = 0.7
    image_compression: Annotated[int, COMPRESSION, feeds("Image compression.img_compression")] = 18


class Controlling(BaseModel):
    """Parameters of a control clip that steers the motion through an IC-LoRA."""

    control: Annotated[
        Literal["canny", "depth", "pose", "ready"],
        Field(title="Control", description="What to take from the clip. Choose ready if it is already a control map."),
    ] = "canny"
    ic_lora: Annotated[
        Literal["union", "detailer", "pose"],
        Field(title="IC-LoRA", description="LoRA that follows the control. union handles canny, depth and pose."),
    ] = "union"
    ic_lora_strength: Annotated[
        float,
        Field(title="IC-LoRA strength", description="Usually 1.", ge=0.05, le=2),
    ] = 1.0
    control_strength: Annotated[
        float, Field(title="Control strength", description="How closely to follow the control.", ge=0, le=1)
    ] = 1.0

    edge_threshold: Annotated[
        float | None,
        Field(
            title="Edge threshold",
            description="For canny: lower values find more edges. By default, adapted to the clip.",
            ge=0.02,
            le=0.99,
        ),
    ] = None

    def control_source(self) -> tuple[Path, float] | None:
        """Return the clip, and the second of it at which to begin; None if there is no control."""
        raise NotImplementedError


class Controlled(Controlling):
    """Parameters of an optional control clip."""

    control_clip: Annotated[
        Path | None,
        Field(title="Control clip", description="Clip whose motion the new clip follows."),
        Media.CLIP,
    ] = None

    def control_source(self) -> tuple[Path, float] | None:
        return None if self.control_clip is None else (self.control_clip, 0.0)
