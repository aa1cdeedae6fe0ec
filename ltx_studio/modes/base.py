"""What every mode shares: the declaration of its parameters, legal sizes and lengths, and building the graph."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ltx_studio.errors import RequestError
from ltx_studio.graph import Graph, Stage, Workflow, load_template
from ltx_studio.models import TEMPLATE_SET, ModelSet

SIZE_STEP = 64
"""Pixels. The finished picture of a two-stage graph: latent cells are 32 pixels, and stage 1 has half of them."""

FRAME_STEP = 8
"""The video VAE packs 8 frames into one latent frame after the first, so lengths are 8k+1."""

MIN_SIZE = 128
"""Pixels. `EmptyLTXVLatentVideo` takes at least 64, and stage 1 has half of the finished size."""

MAX_FRAMES = 993
"""`LTXVEmptyLatentAudio` takes at most 1000 frames."""

MAX_SEED = 2**53 - 1
"""Seeds stay exact in JSON and in JavaScript, which know doubles only."""

MAX_DRAWN_SEED = 2**32 - 1
"""Seeds that nobody chose are short enough to read out."""


@dataclass(frozen=True, slots=True)
class Feeds:
    """Says which inputs of the graph a parameter is written to: (title, input) each."""

    sockets: tuple[tuple[str, str], ...]


def feeds(*sockets: str) -> Feeds:
    """``feeds("Prompt.text")``: the node's title up to the first dot, then the input's name."""
    return Feeds(tuple((title, name) for title, _, name in (socket.partition(".") for socket in sockets)))


class Params(BaseModel):
    """What every mode takes. A field's metadata says its title, its range and the inputs that it feeds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: Annotated[
        str,
        Field(title="Prompt", description="What to see and hear.", max_length=10_000),
        feeds("Prompt.text"),
    ]
    seconds: Annotated[float, Field(title="Seconds", description="Length of the clip.", ge=0.3, le=20)] = 2.0
    fps: Annotated[
        float,
        Field(title="Frames per second", description="24 and 25 are usual.", ge=8, le=50),
        feeds("Frame rate.frame_rate", "Empty audio.frame_rate", "Video.fps"),
    ] = 24.0
    width: Annotated[int, Field(title="Width", description="Pixels, rounded to 64.", ge=MIN_SIZE, le=4096)]
    height: Annotated[int, Field(title="Height", description="Pixels, rounded to 64.", ge=MIN_SIZE, le=4096)]
    seed: Annotated[
        int,
        Field(title="Seed", description="Same seed, same clip. Drawn at random when not given.", ge=0, le=MAX_SEED),
        feeds("Seed.noise_seed"),
    ] = Field(default_factory=lambda: random.randint(0, MAX_DRAWN_SEED))

    @field_validator("prompt")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise _refusal("The prompt is empty", "Write a prompt.")
        return value

    @field_validator("width", "height")
    @classmethod
    def _on_the_grid(cls, value: int) -> int:
        return round(value / SIZE_STEP) * SIZE_STEP

    @model_validator(mode="after")
    def _of_a_legal_length(self) -> "Params":
        asked = self.seconds * self.fps
        if self.frames > MAX_FRAMES:
            raise _refusal(
                f"{self.frames} frames are more than the {MAX_FRAMES} that the model takes",
                "Make the clip shorter, or lower its frame rate.",
            )
        if self.frames - asked > FRAME_STEP / 2:
            raise _refusal(
                f"{asked:g} frames are fewer than the shortest clip has, which is {self.frames}",
                "Make the clip longer, or raise its frame rate.",
            )
        return self

    @property
    def frames(self) -> int:
        """The legal number of frames (8k+1) nearest to `seconds`; the one number for video, sound and trim."""
        return FRAME_STEP * max(1, round((self.seconds * self.fps - 1) / FRAME_STEP)) + 1

    def summary(self) -> str:
        """What will really be made, in words: size, length and frame rate after snapping."""
        return (
            f"{self.width}×{self.height}, {self.frames / self.fps:.2f} s = {self.frames} frames at {self.fps:g} fps, "
            f"seed {self.seed}"
        )


@dataclass(frozen=True, slots=True)
class Mode:
    """One thing that LTX-2.3 does.

    Attributes:
        id: A stable word; also the name of the graph template.
        label: What a user reads.
        params: The declaration of what the mode takes.
        stages: The parts of a run after the models are loaded, for the progress display.
        patch: Writes what does not go from one parameter to one input.
    """

    id: str
    label: str
    params: type[Params]
    stages: tuple[Stage, ...]
    patch: Callable[[Graph, Any], None]

    def parse(self, values: Mapping[str, Any], model_set: ModelSet) -> Params:
        """Check a request; what it leaves out comes from the declaration and from the model set.

        Raises:
            RequestError: A value is missing, unknown or out of range.
        """
        defaults = {"width": model_set.width, "height": model_set.height}
        given = {name: value for name, value in values.items() if value is not None}
        try:
            return self.params.model_validate(defaults | given)
        except ValidationError as error:
            raise _request_error(self, error) from None

    def build(self, params: Params, model_set: ModelSet) -> Workflow:
        """The finished graph for `params`, loaded as `model_set` does."""
        graph = load_template(self.id)
        graph.attach(model_set.loaders, instead_of=TEMPLATE_SET.loaders)
        for name, field in type(params).model_fields.items():
            for extra in field.metadata:
                if isinstance(extra, Feeds):
                    for title, socket in extra.sockets:
                        graph.set_input(title, socket, getattr(params, name))
        self.patch(graph, params)
        return Workflow(name=self.id, graph=graph.to_api(), stages=self.all_stages(model_set))

    def all_stages(self, model_set: ModelSet) -> tuple[Stage, ...]:
        """Loading, whose nodes the model set brings, and then the mode's own stages."""
        return Stage("load", "Load models", tuple(model_set.loaders.nodes)), *self.stages


_WORDS = {
    "missing": "is missing",
    "string_too_long": "is too long: at most {max_length} characters",
    "greater_than_equal": "is too small: at least {ge}",
    "less_than_equal": "is too large: at most {le}",
    "finite_number": "is no number",
}
"""What is wrong, by the type that pydantic gives the problem; others speak pydantic's words."""


def _request_error(mode: Mode, error: ValidationError) -> RequestError:
    problem = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return RequestError(f"{mode.label} takes no {name!r}.", f"It takes: {', '.join(mode.params.model_fields)}.")
    context = problem.get("ctx", {})
    if problem["type"] == "refused":
        return RequestError(f"{problem['msg']}.", context["hint"])
    title, advice = _advice(mode, name)
    known = _WORDS.get(problem["type"])
    what = known.format(**context) if known else f"is wrong: {_lower(problem['msg'])}"
    given = problem.get("input")
    shown = f" (given: {given})" if isinstance(given, int | float) and not isinstance(given, bool) else ""
    return RequestError(f"{title} {what}{shown}.", advice)


def _refusal(what: str, hint: str) -> PydanticCustomError:
    return PydanticCustomError("refused", "{what}", {"what": what, "hint": hint})


def _advice(mode: Mode, name: str) -> tuple[str, str]:
    """The title of a parameter, and what to do about a wrong value of it."""
    schema = mode.params.model_json_schema()["properties"].get(name, {})
    title = str(schema.get("title", name))
    if "minimum" in schema and "maximum" in schema:
        return title, f"Choose {title.lower()} from {schema['minimum']} to {schema['maximum']}."
    if "maxLength" in schema:
        return title, f"Write a {title.lower()} of at most {schema['maxLength']} characters."
    return title, f"See `ltx-studio generate {mode.id} --help`."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
