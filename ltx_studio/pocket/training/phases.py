"""The parts of the training in their order, and how long each takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ltx_studio.pocket.training import audio, video_vae
from ltx_studio.pocket.training.adapters import ControlPart, DistilledPart, ManneredPart
from ltx_studio.pocket.training.audio import AudioPart, VocoderPart
from ltx_studio.pocket.training.base_model import BaseModelPart
from ltx_studio.pocket.training.clips import write_shard
from ltx_studio.pocket.training.loop import Part, result_of, train
from ltx_studio.pocket.training.mannered import SKETCH, write_control_clips, write_manner_clips
from ltx_studio.pocket.training.upscaler import UpscalerPart, write_pairs
from ltx_studio.pocket.training.video_vae import VideoDecoderPart, VideoVaePart
from ltx_studio.pocket.world.scenes import CAMERAS

SHARDS = 8
STEPS = {
    "video_vae": 6000,
    "video_decoder": 3000,
    "audio": 1500,
    "vocoder": 2000,
    "base_model": 6000,
    "upscaler": 1000,
    "distilled_lora": 800,
    "control_lora": 800,
    "pose_lora": 300,
    "manner": 200,
}
"""Of each part, by its name; `manner` is that of every camera and of the sketch."""
CONTROL_KINDS = {"control": {"canny": 0.6, "depth": 0.2, "pose": 0.2}, "pose": {"pose": 1.0}}


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the training.

    Attributes:
        name: What it is called on the command line.
        tasks: What is to be done; several are shared out among the processes.
        together: Whether all processes do the one task together.
    """

    name: str
    tasks: Sequence[Callable[[], None]]
    together: bool = False


class Training:
    """All phases in one folder. ComfyUI must be booted."""

    def __init__(self, folder: Path, *, quick: bool = False, seed: int = 0) -> None:
        self.folder, self._seed, self._quick = folder, seed, quick
        self._clips = folder / "clips"

    def phases(self) -> list[Phase]:
        """Each needs what those before it gave."""
        shards = [partial(self._shard, number) for number in range(1 if self._quick else SHARDS)]
        manners = (*CAMERAS, SKETCH)
        return [
            Phase("video_vae", [lambda: self._train(VideoVaePart(self._steps("video_vae")))], together=True),
            Phase("audio", [lambda: self._train(AudioPart(self._steps("audio")))]),
            Phase("clips", [*shards, self._pairs]),
            Phase("base_model", [self._base_model], together=True),
            Phase("decoders", [self._video_decoder, self._vocoder, self._upscaler]),
            Phase("control_clips", [partial(self._control_clips, name) for name in CONTROL_KINDS]),
            Phase("manner_clips", [partial(self._manner_clips, name) for name in manners]),
            Phase("distilled_lora", [self._distilled]),
            Phase("control_loras", [partial(self._control, name) for name in CONTROL_KINDS]),
            Phase("manner_loras", [partial(self._manner, name) for name in manners]),
        ]

    @cached_property
    def _vaes(self) -> tuple[Any, Any]:
        """Video and audio, as they were when the clips were encoded."""
        video, sound = video_vae.make(), audio.make()
        video.load_state_dict(result_of(self.folder, "video_vae"))
        sound.load_state_dict(result_of(self.folder, "audio"))
        return video.eval().requires_grad_(False), sound.eval().requires_grad_(False)

    def _steps(self, name: str) -> int:
        return 2 if self._quick else STEPS[name]

    def _train(self, part: Part) -> None:
        if not (self.folder / f"{part.name}.safetensors").exists():
            train(part, self.folder, seed=self._seed, check_every=max(1, part.steps // 40))

    def _shard(self, number: int) -> None:
        self._clips.mkdir(parents=True, exist_ok=True)
        write_shard(*self._vaes, self._clips, number, seed=self._seed, quick=self._quick)

    def _pairs(self) -> None:
        write_pairs(self._vaes[0], self.folder / "pairs.pt", seed=self._seed, quick=self._quick)

    def _base_model(self) -> None:
        self._train(BaseModelPart(self._steps("base_model"), self._clips))

    def _video_decoder(self) -> None:
        self._train(VideoDecoderPart(self._steps("video_decoder"), result_of(self.folder, "video_vae")))

    def _vocoder(self) -> None:
        self._train(VocoderPart(self._steps("vocoder"), result_of(self.folder, "audio")))

    def _upscaler(self) -> None:
        self._train(UpscalerPart(self._steps("upscaler"), self.folder / "pairs.pt", self._vaes[0]))

    def _distilled(self) -> None:
        base = result_of(self.folder, "base_model")
        self._train(DistilledPart(self._steps("distilled_lora"), base, self._clips))

    def _control_clips(self, name: str) -> None:
        path = self.folder / f"{name}_clips.pt"
        write_control_clips(*self._vaes, path, CONTROL_KINDS[name], quick=self._quick, seed=self._seed)

    def _control(self, name: str) -> None:
        base, clips = result_of(self.folder, "base_model"), self.folder / f"{name}_clips.pt"
        self._train(ControlPart(f"{name}_lora", self._steps(f"{name}_lora"), base, clips))

    def _manner_clips(self, name: str) -> None:
        path = self.folder / f"{name}_clips.pt"
        write_manner_clips(*self._vaes, path, name, quick=self._quick, seed=self._seed)

    def _manner(self, name: str) -> None:
        base, clips = result_of(self.folder, "base_model"), self.folder / f"{name}_clips.pt"
        self._train(ManneredPart(f"{name}_lora", self._steps("manner"), base, clips))
