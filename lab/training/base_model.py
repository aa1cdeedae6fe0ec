"""Training the base model: the transformer, and the text encoder's tables along with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lab import architecture
from lab.training.clips import SHAPES, Clips, Shape, read_shards
from lab.training.device import half
from lab.training.forward import predict
from lab.training.loop import factor_at, generator_for, one_of
from lab.training.optimiser import Muon
from lab.training.rest import Rest
from lab.training.sampling import sample
from lab.training.tasks import Batch, draw_sigmas, draw_task, make_batch
from lab.training.transformer import make
from lab.world.words import SYNONYMS, WORDS
from ltx_studio.engine.nodes.pocket_text_encoder import TABLES, embed

TOKENS_PER_STEP = {"cpu": 4096, "cuda": 65536}
"""Approximate tokens of picture and sound together, by device."""
LARGE_STEPS = 0.25
"""The share of steps on large clips."""
NO_WORDS = 0.1
"""Share of the captions that are dropped, so that the model also learns to predict without words, for guidance."""
EDGE, CHANGING = 3, 0.1
"""A sound is lively if its latents vary by more than `CHANGING`, except for `EDGE` columns at both ends."""
LIVELY, LIVELY_HEARD = 2, 12
"""How much more often lively clips are chosen: only they teach hearing, above all with a given sound."""
DEAF = 0.05
"""How often attention between picture and sound is off, as a reference for guidance."""
LOOKED_AT = (
    "a red circle moves right on a black background",
    "a green square moves left on a white background",
    "a blue triangle moves up on a pink background",
    "a yellow circle moves down on a navy background",
    "a white square stays still on a teal background",
    "a black triangle bounces on a gray background",
    "a red circle pulses on a white background",
)
"""Sentences whose clips the contact sheet shows."""
CHECKED = 64
"""First clips of each shape, used for measuring and not for training."""


class BaseModelPart:
    """ComfyUI's `LTXAVModel`, made small by `recipe.TRANSFORMER`."""

    name = "base_model"

    def __init__(self, steps: int, clips: Path, rest: Rest, vae: Any, *, decay: float = 0.5) -> None:
        self.steps = steps
        self._decay = decay
        self.net = make()
        self.tables = make_tables()
        self.average = {key: value.clone() for key, value in self._weights().items()}
        self._clips = read_shards(clips)
        self._rest, self._vae = rest, vae
        self._liveliness = {name: liveliness(each) for name, each in self._clips.items()}
        self._shapes = [shape for shape in SHAPES if shape.name in self._clips]
        learning = [*self.net.parameters(), *self.tables.parameters()]
        self._optimiser = Muon(learning, matrices=0.015, others=2e-3, weight_decay=0.1)

    def step(self, index: int, generator: torch.Generator) -> Mapping[str, float]:
        shape = self._draw_shape(generator)
        clips = self._clips[shape.name]
        task = draw_task(generator)
        size = batch_size(shape, task)
        first = min(CHECKED, len(clips) // 2)
        weights = self._liveliness[shape.name][first:].float() * (LIVELY_HEARD if "sound" in task else LIVELY) + 1
        chosen = clips[first + torch.multinomial(weights, size, replacement=True, generator=generator)]
        sigmas = draw_sigmas(size, generator, large=shape.is_large)
        batch = make_batch(chosen, task, sigmas, generator, frames=shape.frames, rest=self._rest)
        mute = torch.rand(size, generator=generator) < NO_WORDS
        words = torch.where(mute[:, None, None], 0, chosen.words.long())
        hearing = bool(torch.rand(1, generator=generator) > DEAF) or "sound" in task
        seen, heard = self._losses(batch, words, hearing=hearing)
        self._optimiser.zero_grad()
        (seen + 0.5 * heard).backward()
        self._optimiser.step(factor_at(index, self.steps, decay=self._decay))
        keep = min(0.998, (1 + index) / (10 + index))
        with torch.no_grad():
            for key, value in self._weights().items():
                self.average[key].lerp_(value, 1 - keep)
        kind = "large" if shape.is_large else "small"
        return {f"{kind}": seen.item() / (LARGE_STEPS if shape.is_large else 1 - LARGE_STEPS), "audio": heard.item()}

    @torch.no_grad()
    def check(self) -> Mapping[str, float]:
        """Return the losses of the averaged weights on clips not used for training, at one noise level each."""
        kept = {key: value.clone() for key, value in self._weights().items()}
        self._put(self.average)
        found = {}
        for name, task, sigma in (
            ("128x96x25", "text", 0.975),
            ("128x96x25", "text", 0.725),
            ("128x96x25", "image", 0.975),
            ("128x96x25", "keyframes", 0.975),
            ("256x192x25", "text", 0.725),
        ):
            shape = next(shape for shape in SHAPES if shape.name == name)
            clips = self._clips[name]
            clips = clips[torch.arange(min(CHECKED, len(clips) // 2))]
            generator = generator_for(0, "check", name, task, sigma)
            levels = torch.full((len(clips),), sigma)
            batch = make_batch(clips, task, levels, generator, frames=shape.frames, rest=self._rest)
            seen, heard = self._losses(batch, clips.words.long())
            found[f"{task}{'+' if shape.is_large else ''} {sigma}"] = float(seen)
            if name == "128x96x25" and task == "text":
                found[f"audio {sigma}"] = float(heard)
        self._put(kept)
        return found

    @torch.no_grad()
    def look(self) -> Tensor:
        """Return one clip of each motion."""
        kept = {key: value.clone() for key, value in self._weights().items()}
        self._put(self.average)
        video, _ = sample(self.net, dict(self.tables.named_parameters()), LOOKED_AT, Shape(128, 96, 25, 0))
        self._put(kept)
        clips: Tensor = self._vae.decode(video).clamp(-1, 1)
        return clips

    def state_dict(self) -> dict[str, Any]:
        return {"weights": self._weights(), "average": self.average, "optimiser": self._optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._put(state["weights"])
        self.average = dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])

    def result(self) -> dict[str, Tensor]:
        found = dict(self.average)
        for name in TABLES:
            found[f"text.{name}"] = drawn_together(self.average[f"text.{name}"])
        return found

    def begin(self, result: Mapping[str, Tensor]) -> None:
        self._put(result)
        self.average = {key: value.clone() for key, value in self._weights().items()}

    def _losses(self, batch: Batch, words: Tensor, *, hearing: bool = True) -> tuple[Tensor, Tensor]:
        context = embed(words, dict(self.tables.named_parameters()))
        with half():
            video, audio = predict(
                self.net,
                batch.video,
                batch.audio,
                context,
                video_times=batch.video_times,
                audio_times=batch.audio_times,
                grids=batch.grids,
                hearing=hearing,
            )
        return batch.losses(video, audio)

    def _draw_shape(self, generator: torch.Generator) -> Shape:
        large = bool(torch.rand(1, generator=generator) < LARGE_STEPS)
        return one_of({shape: shape.count for shape in self._shapes if shape.is_large == large}, generator)

    def _weights(self) -> dict[str, Tensor]:
        tables = {f"text.{key}": value for key, value in self.tables.state_dict().items()}
        return {**self.net.state_dict(), **tables}

    def _put(self, weights: Mapping[str, Tensor]) -> None:
        self.net.load_state_dict({key: value for key, value in weights.items() if not key.startswith("text.")})
        tables = {key.removeprefix("text."): value for key, value in weights.items() if key.startswith("text.")}
        self.tables.load_state_dict(tables)


def make_tables() -> nn.ParameterDict:
    """Return the text encoder's tables: a random row for each word, and nearly the same row for its synonyms."""
    numbers = {word: number for number, word in enumerate(WORDS, start=1)}
    tables = nn.ParameterDict()
    for name, scale in zip(TABLES, (1.0, 0.7, 0.7), strict=True):
        table = torch.randn(len(WORDS) + 1, architecture.TEXT_WIDTH)
        for word, others in SYNONYMS.items():
            for other in others:
                table[numbers[other]] = table[numbers[word]] + 0.2 * table[numbers[other]]
        tables[name] = nn.Parameter(table * scale)
    return tables


def drawn_together(table: Tensor) -> Tensor:
    """Return a table, (words + 1, width), with synonyms half as far from their word as training left them.

    They are read less often, and what drives them away from their word is mostly noise from the words beside them.
    """
    numbers = {word: number for number, word in enumerate(WORDS, start=1)}
    table = table.clone()
    for word, others in SYNONYMS.items():
        rows = [numbers[other] for other in others]
        table[rows] = torch.lerp(table[rows], table[numbers[word]], 0.5)
    return table


def liveliness(clips: Clips) -> Tensor:
    """Return which clips have a changing sound."""
    return clips.audio.float()[:, :, EDGE:-EDGE].std(2).mean((1, 2)) > CHANGING


def batch_size(shape: Shape, task: str = "text") -> int:
    """Return the number of clips for about `TOKENS_PER_STEP` tokens in a step."""
    guides = 2 if task == "keyframes" else 0
    picture = (shape.frames // 8 + 1 + guides) * (shape.width // 32) * (shape.height // 32)
    return max(4, TOKENS_PER_STEP[torch.get_default_device().type] // (picture + shape.frames))


def sample_of(clips: Clips, count: int, generator: torch.Generator) -> Clips:
    """Return `count` random clips."""
    return clips[torch.randint(0, len(clips), (count,), generator=generator)]
