"""The parts of the training in their order, and their numbers of steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch

from lab import architecture
from lab.training import audio, video_vae
from lab.training.adapters import Base, ControlPart, DistilledPart, ManneredPart
from lab.training.audio import AudioPart, VocoderPart
from lab.training.base_model import BaseModelPart
from lab.training.clips import measure_rest, read_shards, write_shard
from lab.training.loop import Part, generator_for, has_ended, result_of, train
from lab.training.mannered import SKETCH, write_control_clips, write_manner_clips
from lab.training.preview import fit_preview
from lab.training.rest import Rest, read_rest, write_rest
from lab.training.upscaler import UpscalerPart, write_pairs
from lab.training.video_vae import VideoDecoderPart, VideoVaePart
from lab.world.scenes import CAMERAS
from ltx_studio.pocket import files

SHARDS = 8
STEPS = {
    "video_vae": 6000,
    "video_decoder": 3000,
    "audio": 1500,
    "vocoder": 2000,
    "base_model": 6000,
    "upscaler": 1000,
    "distilled_lora": 1200,
    "control_lora": 7200,
    "pose_lora": 600,
    "detailer_lora": 600,
    "manner_lora": 300,
}
"""Steps of each part, by name; `manner_lora` is for every camera and the sketch."""
# the clip itself among the controls shows what no map does: where each part of it belongs
CONTROL_KINDS = {
    "control": {"canny": 0.5, "depth": 0.15, "pose": 0.15, "clip": 0.2},
    "pose": {"pose": 1.0},
    "detailer": {"soft": 1.0},
}
CONTROL_PARTS = {"control": 3, "pose": 1, "detailer": 1}
"""Number of parts in which each one's clips are written."""
CONTROL_BEGINS = {"pose": "control"}
"""Parts that start from another, which has already learned which corner of a guide's token belongs to which token."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the training.

    Attributes:
        name: Its name on the command line.
        tasks: The tasks; several are distributed among the processes.
        together: Whether all processes do the one task together.
    """

    name: str
    tasks: Sequence[Callable[[], None]]
    together: bool = False


class Training:
    """All phases in one folder. ComfyUI must be booted.

    Args:
        folder: The folder for all files.
        quick: Whether to run one step of each part on hardly any clips.
        seed: Seed of all data and noise.
        more: Further steps for finished parts, except those whose latents other parts have learned.
    """

    def __init__(self, folder: Path, *, quick: bool = False, seed: int = 0, more: int = 0) -> None:
        self.folder, self._seed, self._quick, self._more = folder, seed, quick, more
        self._clips = folder / "clips"

    def phases(self) -> list[Phase]:
        """Return the phases; each needs the results of the earlier ones."""
        shards = [partial(self._shard, number) for number in range(1 if self._quick else SHARDS)]
        manners, begun = (*CAMERAS, SKETCH), tuple(CONTROL_BEGINS)
        return [
            Phase("video_vae", [lambda: self._train("video_vae", VideoVaePart, latents=True)], together=True),
            Phase("audio", [lambda: self._train("audio", AudioPart, latents=True)]),
            Phase("clips", [*shards, self._pairs]),
            Phase("base_model", [self._base_model], together=True),
            Phase("preview", [self._preview]),
            Phase("decoders", [self._video_decoder, self._vocoder, self._upscaler]),
            Phase(
                "lora_clips",
                [
                    *(
                        partial(self._control_clips, name, part)
                        for name in CONTROL_KINDS
                        for part in range(len(self._control_paths(name)))
                    ),
                    *(partial(self._manner_clips, name) for name in manners),
                ],
            ),
            Phase(
                "loras",
                [
                    self._distilled,
                    *(partial(self._manner, name) for name in manners),
                ],
            ),
            Phase("control_loras", [partial(self._control, name) for name in CONTROL_KINDS if name not in begun]),
            Phase("begun_loras", [partial(self._control, name) for name in begun]),
        ]

    @cached_property
    def _vaes(self) -> tuple[Any, Any]:
        """Return the video and audio VAE in the state in which the clips were encoded."""
        video, sound = video_vae.make(), audio.make()
        video.load_state_dict(result_of(self.folder, "video_vae"))
        sound.load_state_dict(result_of(self.folder, "audio"))
        return video.eval().requires_grad_(False), sound.eval().requires_grad_(False)

    def _train(self, name: str, make: Callable[[int], Part], *, steps: str = "", latents: bool = False) -> None:
        """Train a part to its end, or further if finished, except a part that makes latents, which must not change."""
        ended = has_ended(self.folder, name)
        further = bool(self._more) and ended and not latents
        if ended and not further:
            return
        count = 1 if self._quick else self._more if further else STEPS[steps or name]
        torch.manual_seed(int(torch.randint(0, 2**62, (1,), generator=generator_for(self._seed, name))))
        part = make(count)
        shown = not (self._quick and steps)  # a quick training shows nothing of the parts with several kinds
        train(
            part,
            self.folder,
            seed=self._seed,
            check_every=max(2, min(100, part.steps // 4)),
            further=further,
            shown=shown,
        )

    def _shard(self, number: int) -> None:
        self._clips.mkdir(parents=True, exist_ok=True)
        write_shard(*self._vaes, self._clips, number, seed=self._seed, quick=self._quick)

    def _pairs(self) -> None:
        write_pairs(self._vaes[0], self.folder / "pairs.pt", seed=self._seed, quick=self._quick)

    @cached_property
    def _rest(self) -> Rest:
        path = self.folder / files.REST
        if not path.exists():  # measured once: a model trained without one rest must keep it
            write_rest(measure_rest(read_shards(self._clips)), path)
        return read_rest(path)

    @cached_property
    def _base(self) -> Base:
        return Base(result_of(self.folder, "base_model"), self._rest, self._vaes[0])

    def _base_model(self) -> None:
        self._train("base_model", lambda steps: BaseModelPart(steps, self._clips, self._rest, self._vaes[0]))

    def _preview(self) -> None:
        path = self.folder / "preview.safetensors"
        fit_preview(self._vaes[0], self._rest.video, path, seed=self._seed, quick=self._quick)

    def _video_decoder(self) -> None:
        vae = result_of(self.folder, "video_vae")
        self._train("video_decoder", lambda steps: VideoDecoderPart(steps, vae, self._rest.video))

    def _vocoder(self) -> None:
        audio = result_of(self.folder, "audio")
        self._train("vocoder", lambda steps: VocoderPart(steps, audio, self._rest.audio))

    def _upscaler(self) -> None:
        pairs = self.folder / "pairs.pt"
        self._train("upscaler", lambda steps: UpscalerPart(steps, pairs, self._vaes[0], self._rest.video))

    def _distilled(self) -> None:
        rank = architecture.LORA_RANKS["distilled"]
        self._train("distilled_lora", lambda steps: DistilledPart(steps, self._base, self._clips, rank=rank))

    def _control_paths(self, name: str) -> list[Path]:
        return [self.folder / f"{name}_clips-{part}.pt" for part in range(1 if self._quick else CONTROL_PARTS[name])]

    def _control_clips(self, name: str, part: int) -> None:
        path = self._control_paths(name)[part]
        write_control_clips(*self._vaes, path, CONTROL_KINDS[name], part, quick=self._quick, seed=self._seed)

    def _control(self, name: str) -> None:
        part, clips, rank = f"{name}_lora", self._control_paths(name), architecture.LORA_RANKS[name]
        before = CONTROL_BEGINS.get(name)
        begun = result_of(self.folder, f"{before}_lora") if before else None
        fast = result_of(self.folder, "distilled_lora")
        self._train(part, lambda steps: ControlPart(part, steps, self._base, clips, rank=rank, fast=fast, begun=begun))

    def _manner_clips(self, name: str) -> None:
        path = self.folder / f"{name}_clips.pt"
        write_manner_clips(*self._vaes, path, name, quick=self._quick, seed=self._seed)

    def _manner(self, name: str) -> None:
        part, clips, rank = f"{name}_lora", self.folder / f"{name}_clips.pt", architecture.LORA_RANKS["manner"]
        self._train(part, lambda steps: ManneredPart(part, steps, self._base, clips, rank=rank), steps="manner_lora")
