"""Training of the LoRAs: each changes the frozen base model by a few low-rank matrices."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lab.training.base_model import LOOKED_AT, NO_WORDS, batch_size, sample_of
from lab.training.clips import SHAPES, Clips, Shape, read_shards
from lab.training.loop import factor_at, generator_for, one_of
from lab.training.lora import ALL_LAYERS, PICTURE_LAYERS, STEERED_LAYERS, Lora
from lab.training.mannered import STRENGTHS, read_control_clips, read_manner_clips
from lab.training.optimiser import Muon
from lab.training.rest import Rest
from lab.training.sampling import go, sample, velocity_of
from lab.training.tasks import FIRST_SIGMAS, SECOND_SIGMAS, Batch, draw_sigmas, draw_task, make_batch
from lab.training.transformer import make
from ltx_studio.engine.nodes.pocket_text_encoder import embed

CHECKED = 16

GUIDANCE, MODALITY = 2.0, 3.0
"""Guidance of the distilled LoRA's teacher: away from no words, and from a model without sound. The latter makes
Fast's picture follow a sound."""
FAST = {0.5: 0.6, 0.0: 0.4}
"""Strengths of the distilled LoRA beside which an IC-LoRA is trained, the preset Fast's and none; and their shares."""
SUBSTEPS = {0.975: 2, 0.909375: 3, 0.85: 2, 0.725: 3, 0.421875: 2}
"""Teacher steps that one step of the distilled model replaces, by noise level; elsewhere one."""


@dataclass(frozen=True, slots=True)
class Base:
    """The models that LoRAs are trained on.

    Attributes:
        weights: The result of the base model's training.
        rest: The directions that it was trained without.
        vae: The VAE for viewing its pictures.
    """

    weights: Mapping[str, Tensor]
    rest: Rest
    vae: Any


class Adapter:
    """The common base of all LoRAs: the frozen base model, and a step's bookkeeping.

    Attributes:
        name: The part's name.
        steps: Number of steps.
        net: The base model, with the LoRA on it.
        lora: The trained LoRA.
    """

    name: str

    def __init__(
        self,
        name: str,
        steps: int,
        base: Base,
        *,
        rank: int,
        layers: str,
        rate: float = 0.004,
        fast: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.name = name
        self.steps = steps
        self.rest, self._vae = base.rest, base.vae
        self.net = make()
        self.net.load_state_dict({key: value for key, value in base.weights.items() if not key.startswith("text.")})
        self.tables = {
            key.removeprefix("text."): value for key, value in base.weights.items() if key.startswith("text.")
        }
        self._fast = Lora.of(self.net, fast, layers=ALL_LAYERS, strength=0.0) if fast else None
        self.lora = Lora(self.net, rank=rank, layers=layers)  # freezes what is already on the net
        self._optimiser = Muon(self.lora.parameters(), matrices=rate, others=1e-3, smallest=min(8, rank))

    def fast(self, strength: float) -> AbstractContextManager[None]:
        """Enable the distilled LoRA at `strength` for a while, if there is one."""
        return self._fast.at(strength) if self._fast else nullcontext()

    def learn(self, index: int, loss: Tensor) -> None:
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step(factor_at(index, self.steps, warm_up=10, decay=0.7))

    def batch(self, clips: Clips, task: str, sigmas: Tensor, generator: torch.Generator, **options: Any) -> Batch:
        """Return a batch; see `make_batch`."""
        return make_batch(clips, task, sigmas, generator, rest=self.rest, **options)

    def look(self) -> Tensor | None:
        """Return some scenes without the LoRA, and with it at full strength."""
        shown = []
        for strength in (0.0, 1.0):
            with self.lora.at(strength):
                shown.append(sample(self.net, self.tables, LOOKED_AT[4:7], Shape(128, 96, 25, 0))[0])
        with torch.no_grad():
            clips: Tensor = self._vae.decode(torch.stack(shown, 1).flatten(0, 1)).clamp(-1, 1)
        return clips

    def losses(self, batch: Batch, context: Tensor) -> tuple[Tensor, Tensor]:
        levels = batch.video_times, batch.audio_times
        return batch.losses(*velocity_of(self.net, batch, context)(batch.video, batch.audio, *levels))

    def context(self, words: Tensor) -> Tensor:
        return embed(words.long(), self.tables)

    def state_dict(self) -> dict[str, Any]:
        return {"lora": self.lora.state_dict(), "optimiser": self._optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.lora.load_state_dict(state["lora"])
        self._optimiser.load_state_dict(state["optimiser"])

    def result(self) -> dict[str, Tensor]:
        return self.lora.state_dict()

    def begin(self, result: Mapping[str, Tensor]) -> None:
        self.lora.load_state_dict(dict(result))


class DistilledPart(Adapter):
    """The part that teaches eight steps without guidance what many guided steps do.

    From each noise level at which a sampler of the distilled model stops, the teacher goes to the next in several
    guided steps; the student learns to get there in one.
    """

    def __init__(self, steps: int, base: Base, clips: Path, *, rank: int) -> None:
        super().__init__("distilled_lora", steps, base, rank=rank, layers=ALL_LAYERS)
        self._clips = read_shards(clips)

    def step(self, index: int, generator: torch.Generator) -> Mapping[str, float]:
        large = bool(torch.rand(1, generator=generator) < 0.4)
        shape = _draw(self._clips, generator, large=large)
        listed = SECOND_SIGMAS if large and torch.rand(1, generator=generator) < 0.7 else FIRST_SIGMAS
        at = int(torch.randint(0, len(listed), (1,), generator=generator))
        strength = 0.5 if torch.rand(1, generator=generator) < 0.8 else 1.0
        loss = self._miss(shape, listed[at], (*listed[1:], 0.0)[at], strength, generator)
        self.learn(index, loss)
        return {"loss": loss.item()}

    @torch.no_grad()
    def check(self) -> Mapping[str, float]:
        shape = next(shape for shape in SHAPES if shape.name == "128x96x25")
        found = {}
        for strength in (0.0, 0.5, 1.0):
            for sigma, following in ((0.975, 0.909375), (0.725, 0.421875)):
                generator = generator_for(0, "check", sigma)
                found[f"{sigma} at {strength}"] = float(self._miss(shape, sigma, following, strength, generator))
        return found

    def _miss(
        self, shape: Shape, sigma: float, following: float, strength: float, generator: torch.Generator
    ) -> Tensor:
        size = batch_size(shape) // 2
        clips = sample_of(self._clips[shape.name], size, generator)
        sigmas = torch.full((size,), sigma)
        batch = self.batch(clips, draw_task(generator), sigmas, generator, frames=shape.frames)
        words = self.context(clips.words)
        nothing = self.context(torch.zeros_like(clips.words))
        with torch.no_grad(), self.lora.at(0.0):
            teacher = velocity_of(self.net, batch, words, nothing=nothing, guidance=GUIDANCE, modality=MODALITY)
            seen, heard = go(teacher, batch, torch.full((size,), following), steps=SUBSTEPS.get(sigma, 1))
        taught = Batch(
            batch.video, batch.audio, batch.video_times, batch.audio_times, batch.grids, seen, heard,
            batch.video_counts, batch.audio_counts,
        )  # fmt: skip
        with self.lora.at(strength):
            found = self.losses(taught, words)
        return found[0] + 0.5 * found[1]


class ManneredPart(Adapter):
    """A LoRA that learns from clips which all share something that their captions do not mention: a camera, a style.

    At half the strength it learns from clips that have half of it.
    """

    def __init__(self, name: str, steps: int, base: Base, clips: Path, *, rank: int) -> None:
        super().__init__(name, steps, base, rank=rank, layers=PICTURE_LAYERS, rate=0.006)
        self._clips = read_manner_clips(clips)

    def step(self, index: int, generator: torch.Generator) -> Mapping[str, float]:
        strength = one_of(STRENGTHS, generator)
        shape = _shape(one_of({name: len(clips) for name, clips in self._clips[strength].items()}, generator))
        size = batch_size(shape) // 2
        every = self._clips[strength][shape.name]
        clips = every[torch.randint(_checked(every), len(every), (size,), generator=generator)]
        task = "image" if torch.rand(1, generator=generator) < 0.3 else "text"
        sigmas = draw_sigmas(size, generator, large=shape.is_large)
        batch = self.batch(clips, task, sigmas, generator, frames=shape.frames)
        mute = torch.rand(size, generator=generator) < NO_WORDS
        with self.lora.at(strength):
            seen, heard = self.losses(batch, self.context(torch.where(mute[:, None, None], 0, clips.words)))
        self.learn(index, seen + 0.1 * heard)
        return {"loss": seen.item()}

    @torch.no_grad()
    def check(self) -> Mapping[str, float]:
        shape = _shape(next(iter(next(iter(self._clips.values())))))
        found = {}
        for wanted, every_shape in self._clips.items():
            every = every_shape[shape.name]
            clips = every[torch.arange(_checked(every))]
            sigmas = torch.full((len(clips),), 0.909375)
            for strength in (0.0, wanted):
                generator = generator_for(0, "check", self.name)
                batch = self.batch(clips, "text", sigmas, generator, frames=shape.frames)
                with self.lora.at(strength):
                    found[f"clips of {wanted} at {strength}"] = float(self.losses(batch, self.context(clips.words))[0])
        return found


class ControlPart(Adapter):
    """An IC-LoRA: the clip follows a control clip.

    A token has to learn which corner of a half-size control clip's token is its own, which is slow: with the rate of
    the other LoRAs the loss at 0.975 went from 1.37 to 0.71 in 600 steps, with this one to 0.51 in 2,400, and in 4,800
    more to 0.45.

    It is trained beside the distilled LoRA too, because it is used beside it: what a guided teacher overdoes is not
    what the control clip shows. One that had never met it kept edges by 0.48 beside it and 0.52 alone; 1,300 steps
    later by 0.55 and 0.57 (8 clips).

    Args:
        fast: The distilled LoRA.
        begun: Another trained IC-LoRA, from which this one starts.
    """

    def __init__(
        self,
        name: str,
        steps: int,
        base: Base,
        clips: Sequence[Path],
        *,
        rank: int,
        fast: Mapping[str, Tensor],
        begun: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__(name, steps, base, rank=rank, layers=STEERED_LAYERS, rate=0.006, fast=fast)
        if begun:
            self.lora.approach(begun)
        self._clips, self._guides = read_control_clips(clips)

    def step(self, index: int, generator: torch.Generator) -> Mapping[str, float]:
        shape = _draw(self._clips, generator, large=True)
        size = max(4, batch_size(shape) // 2)
        chosen = torch.randint(
            _checked(self._clips[shape.name]), len(self._clips[shape.name]), (size,), generator=generator
        )
        task = "image" if torch.rand(1, generator=generator) < 0.2 else "text"
        sigmas = draw_sigmas(size, generator, large=bool(torch.rand(1, generator=generator) < 0.3))
        with self.fast(one_of(FAST, generator)):
            loss = self._loss(shape, chosen, task, sigmas, generator)
            self.learn(index, loss)
        return {"loss": loss.item()}

    @torch.no_grad()
    def check(self) -> Mapping[str, float]:
        shape = _shape(next(iter(self._clips)))
        found = {}
        for strength, fast in ((0.0, 0.0), (1.0, 0.0), (1.0, max(FAST))):
            for sigma in (0.975, 0.725):
                generator = generator_for(0, "check", self.name, sigma)
                with self.lora.at(strength), self.fast(fast):
                    chosen = torch.arange(_checked(self._clips[shape.name]))
                    loss = self._loss(shape, chosen, "text", torch.full(chosen.shape, sigma), generator)
                found[f"{sigma} at {strength}" + ", fast" * bool(fast)] = float(loss)
        return found

    def _loss(self, shape: Shape, chosen: Tensor, task: str, sigmas: Tensor, generator: torch.Generator) -> Tensor:
        clips, guide = self._clips[shape.name][chosen], self._guides[shape.name][chosen]
        batch = self.batch(clips, task, sigmas, generator, frames=shape.frames, guide=guide)
        mute = torch.rand(len(clips), generator=generator) < NO_WORDS
        seen, heard = self.losses(batch, self.context(torch.where(mute[:, None, None], 0, clips.words)))
        return seen + 0.1 * heard


def _checked(clips: Clips) -> int:
    """Return the number of first clips that are used for measuring and not for training."""
    return min(CHECKED, len(clips) // 2)


def _shape(name: str) -> Shape:
    return next(shape for shape in SHAPES if shape.name == name)


def _draw(clips: Mapping[str, Clips], generator: torch.Generator, *, large: bool) -> Shape:
    known = [shape for shape in SHAPES if shape.name in clips and shape.is_large == large]
    return one_of({shape: shape.count for shape in known}, generator)
