from typing import Any

import torch
from torch import Tensor

from lab.training.forward import Grid, Times, predict, to_tokens
from lab.training.sampling import velocity_of
from lab.training.tasks import Batch


def test_guidance_goes_away_from_no_words_and_from_a_model_that_does_not_hear(
    net: Any, latents: tuple[Tensor, Tensor, Tensor]
) -> None:
    video, audio, words = to_tokens(latents[0]), to_tokens(latents[1]), latents[2]
    nothing, level, unused = torch.zeros_like(words), torch.tensor([0.7]), torch.zeros(0)
    times = Times(level[:, None])
    batch = Batch(video, audio, times, level, (Grid(4, 3, 4),), unused, unused, unused, unused)

    def ask(context: Tensor, *, hearing: bool) -> tuple[Tensor, Tensor]:
        return predict(
            net, video, audio, context, video_times=times, audio_times=level, grids=batch.grids, hearing=hearing
        )

    guided = velocity_of(net, batch, words, nothing=nothing, guidance=2.0, modality=3.0)(video, audio, times, level)

    said, wordless, deaf = ask(words, hearing=True), ask(nothing, hearing=True), ask(words, hearing=False)
    for each, plain, without, alone in zip(guided, said, wordless, deaf, strict=True):
        torch.testing.assert_close(each, plain + (plain - without) + 2 * (plain - alone))
    torch.testing.assert_close(velocity_of(net, batch, words)(video, audio, times, level), said)
