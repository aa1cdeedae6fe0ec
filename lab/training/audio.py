"""Training of the audio VAE and the vocoder: reconstruction of the world's sounds and others."""

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lab import architecture
from lab.training.device import half
from lab.training.forward import to_tokens
from lab.training.loop import NetPart, factor_at, generator_for
from lab.training.rest import left_in
from lab.training.video_vae import initialise
from lab.world.scenes import sample
from lab.world.sound import RATE, other_sound, sound

CHANNELS = 8
"""Channels of an audio latent; the network's other eight are a variance that is not used."""
SECONDS = 1.04
HOP = 160
"""Samples between two columns of the spectrogram."""
PART, EDGE = 40, 4
"""Columns that the vocoder sees at a time, and columns at both ends that do not count."""
LATENT_NOISE = 0.05


class AudioPart(NetPart):
    """ComfyUI's `AudioVAE` with its vocoder, made small by `recipe.AUDIO_VAE` and `recipe.VOCODER`."""

    name = "audio"

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.net = make()
        initialise(self.net)
        statistics(self.net, torch.zeros(128), torch.ones(128))
        self.net.requires_grad_(True)
        self._optimiser = torch.optim.AdamW(self.net.parameters(), 2e-3, betas=(0.9, 0.98), weight_decay=0)

    def step(self, index: int, generator: torch.Generator) -> Mapping[str, float]:
        own = index % 4 != 3  # the vocoder speaks the world's own sounds only; the others are for the VAE
        wave = draw_batch(8, generator, own=own)
        mel, back = self._round_trip(wave, generator)
        loss = (back - mel[:, :, : back.shape[2]]).abs().mean() + 1e-3 * self._latent_size
        found = {"mel": loss.item()}
        if own:
            columns = back.detach() if index % 2 else mel[:, :, : back.shape[2]]
            loss = loss + _spoken(self.net, columns, wave, generator)
        self._learn(index, loss)
        return found

    def _round_trip(self, wave: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return the spectrogram and its reconstruction by the autoencoder."""
        net = self.net
        with torch.no_grad():
            mel = net.preprocessor.waveform_to_mel(wave, RATE, wave.device)
        with half():
            latent = net.autoencoder.encode(mel)[:, :CHANNELS]
            shape = (len(wave), 2, latent.shape[2] * 4 - 3, architecture.MEL_BINS)
            noisy = latent + self._noise_on(latent, generator)
            self._latent_size = latent.float().square().mean()
            return mel, net.autoencoder.decode(noisy, target_shape=shape).float()

    def _noise_on(self, latent: Tensor, generator: torch.Generator) -> Tensor:
        return LATENT_NOISE * latent.detach().std() * torch.randn(latent.shape, generator=generator)

    def _back(self, wave: Tensor) -> Tensor:
        """Return the reconstruction of a sound."""
        heard: Tensor = self.net.decode(self.net.encode(wave, RATE))
        return heard

    def _learn(self, index: int, loss: Tensor) -> None:
        self._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        for group in self._optimiser.param_groups:
            group["lr"] = 2e-3 * factor_at(index, self.steps, decay=0.8)
        self._optimiser.step()

    @torch.no_grad()
    def check(self) -> Mapping[str, float]:
        self.net.eval()
        wave = draw_batch(16, generator_for(0, "check", "audio"), own=True)
        back = self._back(wave)
        length = min(back.shape[-1], wave.shape[-1])
        error = (back[..., :length] - wave[..., :length]).square().mean((1, 2))
        loud = wave[..., :length].square().mean((1, 2))
        heard = loud > 1e-5
        self.net.train()
        return {
            "snr": float((10 * torch.log10(loud[heard] / error[heard])).median()),
            "silence": float(error[~heard].sqrt().mean()) if (~heard).any() else 0.0,
        }

    def result(self) -> dict[str, Tensor]:
        measure_statistics(self.net)
        return super().result()


class VocoderPart(AudioPart):
    """Further training of the decoder and the vocoder, for fixed latents.

    They learn to ignore the noise that sampling leaves in `rest`; see `Rest`.
    """

    name = "vocoder"

    def __init__(self, steps: int, audio: Mapping[str, Tensor], rest: Tensor) -> None:
        super().__init__(steps)
        self.net.load_state_dict(audio)
        self._rest = rest
        self.net.autoencoder.encoder.requires_grad_(False)
        learning = [*self.net.autoencoder.decoder.parameters(), *self.net.vocoder.parameters()]
        self._optimiser = torch.optim.AdamW(learning, 1e-3, betas=(0.9, 0.98), weight_decay=0)

    def _noise_on(self, latent: Tensor, generator: torch.Generator) -> Tensor:
        spread = self.net.autoencoder.per_channel_statistics.get_buffer("std-of-means")
        left = left_in(to_tokens(latent), self._rest, generator) * spread
        return super()._noise_on(latent, generator) + left.unflatten(2, (CHANNELS, -1)).transpose(1, 2)

    def _back(self, wave: Tensor) -> Tensor:
        """Return the reconstruction from latents with the noise that sampling leaves in them."""
        latent = self.net.encode(wave, RATE)
        left = left_in(to_tokens(latent), self._rest, generator_for(0, "check"))
        heard: Tensor = self.net.decode(latent + left.unflatten(2, (CHANNELS, -1)).transpose(1, 2))
        return heard

    def step(self, index: int, generator: torch.Generator) -> Mapping[str, float]:
        wave = draw_batch(8, generator, own=True)
        mel, back = self._round_trip(wave, generator)
        loss = (back - mel[:, :, : back.shape[2]]).abs().mean() + _spoken(self.net, back, wave, generator)
        self._learn(index, loss)
        return {"loss": loss.item()}

    def result(self) -> dict[str, Tensor]:
        return dict(self.net.state_dict())


def _spoken(net: Any, columns: Tensor, wave: Tensor, generator: torch.Generator) -> Tensor:
    """Return the difference between the sound and the vocoder's output for part of its spectrogram."""
    first = int(torch.randint(0, columns.shape[2] - PART, (1,), generator=generator))
    with half():
        spoken = net.vocoder(columns[:, :, first : first + PART].transpose(2, 3)).float()
    error = (spoken - wave[..., first * HOP : (first + PART) * HOP])[..., EDGE * HOP : -EDGE * HOP]
    return 5 * (error.abs().mean() + 10 * error.square().mean())


def make() -> Any:
    """Return an untrained `AudioVAE`."""
    from comfy.ldm.lightricks.vae.audio_vae import AudioVAE

    return AudioVAE({"config": json.dumps({"audio_vae": architecture.AUDIO_VAE, "vocoder": architecture.VOCODER})})


def statistics(net: Any, mean: Tensor, std: Tensor) -> None:
    """Set the latents' mean and standard deviation, (128,): 8 channels of 16 frequencies each."""
    buffers = net.autoencoder.per_channel_statistics
    buffers.get_buffer("mean-of-means").copy_(mean)
    buffers.get_buffer("std-of-means").copy_(std)


@torch.no_grad()
def measure_statistics(net: Any) -> None:
    """Set the latents' mean and standard deviation to those of many sounds."""
    net.eval()
    seen: list[Tensor] = []
    for own in (True, True, False):
        wave = draw_batch(24, generator_for(0, "statistics", own, len(seen)), own=own)
        mel = net.preprocessor.waveform_to_mel(wave, RATE, wave.device)
        latent = net.autoencoder.encode(mel)[:, :CHANNELS]
        seen.append(latent.transpose(1, 2).flatten(2).flatten(0, 1))
    latents = torch.cat(seen)
    statistics(net, latents.mean(0), latents.std(0).clamp(min=1e-3))


def draw_batch(count: int, generator: torch.Generator, *, own: bool) -> Tensor:
    """Return (count, 2, N) of the world's own sounds, or of others, at random levels."""
    scenes = sample(count, generator, faces=0.3)
    length = int(RATE * SECONDS)
    if not own:
        return other_sound(scenes, length, duration=SECONDS, generator=generator)
    return sound(scenes, length, duration=SECONDS) * (0.4 + 0.8 * torch.rand(count, 1, 1, generator=generator))
