from typing import Any

import torch
from torch import Tensor

from lab import architecture
from lab.training.forward import Grid, Times, predict, to_tokens
from ltx_studio.engine import Engine


def ask_comfyui(net: Any, video: Tensor, audio: Tensor, words: Tensor, **options: Any) -> tuple[Tensor, Tensor]:
    context = net.preprocess_text_embeds(words.repeat(1, 64, 1), unprocessed=True)
    times = options.pop("times")
    seen, heard = net(
        [video.clone(), audio.clone()],
        times,
        context,
        attention_mask=None,
        frame_rate=24,
        transformer_options={},
        **options,
    )
    return to_tokens(seen), to_tokens(heard)


def test_gives_comfyuis_numbers_for_noise(net: Any, latents: tuple[Tensor, Tensor, Tensor]) -> None:
    video, audio, words = latents
    sigma = torch.tensor([0.7])

    seen, heard = predict(
        net,
        to_tokens(video),
        to_tokens(audio),
        words,
        video_times=Times(sigma[:, None]),
        audio_times=sigma,
        grids=(Grid(4, 3, 4),),
    )
    theirs = ask_comfyui(net, video, audio, words, times=(sigma, sigma))

    torch.testing.assert_close((seen, heard), theirs, atol=1e-4, rtol=1e-4)


def test_gives_comfyuis_numbers_with_a_guide_and_a_given_sound(
    net: Any, latents: tuple[Tensor, Tensor, Tensor]
) -> None:
    video, audio, words = latents
    guide = torch.randn(1, 128, 1, 3, 4)
    both = torch.cat([video, guide], 2)
    mask = torch.ones(1, 1, 5, 3, 4)
    mask[:, :, 4] = 0
    where = Grid(1, 3, 4, first=24)
    given = torch.tensor([False] * 48 + [True] * 12)

    seen, heard = predict(
        net,
        to_tokens(both),
        to_tokens(audio),
        words,
        video_times=Times(torch.tensor([[0.7, 0.0]]), given),
        audio_times=torch.zeros(1),
        grids=(Grid(4, 3, 4), where),
    )
    times = net.patchifier.patchify(mask * 0.7)[0], torch.zeros(1, 27, 1)
    theirs = ask_comfyui(net, both, audio, words, times=times, keyframe_idxs=where.coordinates(), denoise_mask=mask)

    torch.testing.assert_close((seen, heard), theirs, atol=1e-4, rtol=1e-4)


def test_samples_of_a_batch_do_not_mix(net: Any) -> None:
    generator = torch.Generator().manual_seed(2)
    video, audio = torch.randn(2, 12, 128, generator=generator), torch.randn(2, 9, 128, generator=generator)
    words = torch.randn(2, 16, architecture.TEXT_WIDTH, generator=generator)
    sigmas = torch.tensor([0.2, 0.9])

    def ask(rows: slice) -> tuple[Tensor, Tensor]:
        levels = sigmas[rows]
        return predict(
            net,
            video[rows],
            audio[rows],
            words[rows],
            video_times=Times(levels[:, None]),
            audio_times=levels,
            grids=(Grid(1, 3, 4),),
        )

    together, alone = ask(slice(0, 2)), ask(slice(0, 1))

    torch.testing.assert_close(together[0][:1], alone[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together[1][:1], alone[1], atol=1e-5, rtol=1e-4)


def test_guides_lie_where_comfyui_puts_them(engine: Engine) -> None:
    from comfy_extras.nodes_lt import LTXVAddGuide

    half_size = torch.zeros(1, 128, 4, 2, 3)
    dilated, _ = LTXVAddGuide.dilate_latent(half_size, 2)
    theirs = LTXVAddGuide.add_keyframe_index([[None, {}]], 0, dilated, (8, 32, 32), 2)[0][1]["keyframe_idxs"]
    kept = torch.zeros(4, 4, 6, dtype=torch.bool)
    kept[:, ::2, ::2] = True

    assert theirs[:, :, kept.flatten()].equal(Grid(4, 2, 3, reach=2).coordinates())
