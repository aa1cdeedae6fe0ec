from pathlib import Path

import pytest
import torch
from torch import Tensor

from lab.training.clips import Clips, measure_rest
from lab.training.rest import KEPT_OF_PICTURE, KEPT_OF_SOUND, Rest, leave, left_in, read_rest, write_rest
from lab.training.tasks import make_batch

SIGMAS = torch.full((8,), 0.9)


def some_clips(count: int = 32) -> Clips:
    """Latents with much variance in 20 directions and little elsewhere."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        mix = torch.randn(20, 128, generator=generator)
        flat = torch.randn(*shape, 20, generator=generator) @ mix + 0.05 * torch.randn(*shape, 128, generator=generator)
        return flat.bfloat16()

    video, audio = draw(count, 4, 3, 4).movedim(-1, 1), draw(count, 27).unflatten(2, (8, 16)).transpose(1, 2)
    return Clips(video, video[:, :, -1:], audio, audio, torch.zeros(count, 16, 3, dtype=torch.int16))


@pytest.fixture(scope="module")
def rest() -> Rest:
    return measure_rest({"128x96x25": some_clips()})


def test_what_is_kept_holds_nearly_all_variance(rest: Rest) -> None:
    tokens = some_clips().video.float().movedim(1, -1).flatten(0, -2)
    for part, kept in ((rest.video, KEPT_OF_PICTURE), (rest.audio, KEPT_OF_SOUND)):
        assert float(part.trace()) == pytest.approx(128 - kept, abs=1e-3)
        torch.testing.assert_close(part @ part, part, atol=1e-4, rtol=0)
    assert float((tokens @ rest.video).var() / tokens.var()) < 0.001


def test_noise_stays_only_in_the_rest(rest: Rest) -> None:
    noisy, noise = torch.randn(8, 5, 128), torch.randn(8, 5, 128)
    left, out = leave(noisy, noise, rest.video, torch.Generator().manual_seed(0)), rest.video

    torch.testing.assert_close(left - left @ out, noisy - noisy @ out, atol=1e-4, rtol=0)
    share = (left @ out).norm(dim=(1, 2)) / (noise @ out).norm(dim=(1, 2))
    assert 0.6 <= share.min() < share.max() <= 1.05


@pytest.mark.parametrize("task", ["text", "image", "keyframes", "sound"])
def test_nothing_is_to_be_said_of_it(rest: Rest, task: str) -> None:
    clips, generator = some_clips(8), torch.Generator().manual_seed(1)
    batch = make_batch(clips, task, SIGMAS, generator, frames=25, rest=rest)

    for truth, part in ((batch.video_truth, rest.video), (batch.audio_truth, rest.audio)):
        assert float((truth @ part).abs().max()) < 1e-2


def test_what_is_given_stays_whole(rest: Rest) -> None:
    clips, generator = some_clips(8), torch.Generator().manual_seed(1)
    batch = make_batch(clips, "keyframes", SIGMAS, generator, frames=25, rest=rest)
    last = clips.last.float().flatten(2).mT

    torch.testing.assert_close(batch.video[:, -12:], last)


def test_it_comes_back_from_its_file(rest: Rest, tmp_path: Path) -> None:
    write_rest(rest, tmp_path / "rest.safetensors")
    back = read_rest(tmp_path / "rest.safetensors")

    assert back.video.equal(rest.video)
    assert back.audio.equal(rest.audio)


def test_decoders_now_and_then_get_none(rest: Rest) -> None:
    left = left_in(torch.zeros(200, 4, 128), rest.video, torch.Generator().manual_seed(0))
    sizes = left.norm(dim=(1, 2))

    assert 0.05 < float((sizes == 0).float().mean()) < 0.3
    torch.testing.assert_close(left @ rest.video, left, atol=1e-4, rtol=0)
