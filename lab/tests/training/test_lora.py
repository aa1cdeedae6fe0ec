from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lab import architecture
from lab.training.forward import Grid, Times, predict
from lab.training.lora import PICTURE_LAYERS, STEERED_LAYERS, Lora
from lab.training.transformer import make
from ltx_studio.engine import Engine


def ask(net: Any) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    video, audio = torch.randn(1, 12, 128, generator=generator), torch.randn(1, 9, 128, generator=generator)
    words, level = torch.randn(1, 16, architecture.TEXT_WIDTH, generator=generator), torch.tensor([0.7])
    times = Times(level[:, None])
    with torch.no_grad():
        return predict(net, video, audio, words, video_times=times, audio_times=level, grids=(Grid(1, 3, 4),))


@pytest.fixture(params=[PICTURE_LAYERS, STEERED_LAYERS], ids=["picture", "steered"])
def trained(engine: Engine, request: pytest.FixtureRequest) -> tuple[Any, Lora, tuple[Tensor, Tensor]]:
    """Return a model with a LoRA that does something, and what the model says without it."""
    torch.manual_seed(0)
    net = make().eval()
    before = ask(net)
    lora = Lora(net, rank=8, layers=request.param)
    for parameter in lora.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return net, lora, before


def test_a_new_lora_changes_nothing(engine: Engine) -> None:
    torch.manual_seed(0)
    net = make().eval()
    before = ask(net)
    Lora(net, rank=4)

    torch.testing.assert_close(ask(net), before)


def test_no_layer_is_given_a_higher_rank_than_it_can_have(trained: tuple[Any, Lora, Any]) -> None:
    _, lora, _ = trained

    ranks = {len(value) for key, value in lora.state_dict().items() if key.endswith("lora_A.weight")}
    assert ranks <= {8, architecture.HEADS}


def test_only_the_lora_is_trained(trained: tuple[Any, Lora, Any]) -> None:
    net, lora, _ = trained
    learning = {id(parameter) for parameter in net.parameters() if parameter.requires_grad}

    assert learning == {id(parameter) for parameter in lora.parameters()}


def test_at_no_strength_it_is_the_model_itself_and_grows_with_strength(trained: tuple[Any, Lora, Any]) -> None:
    net, lora, before = trained
    away = []
    for strength in (0.0, 0.5, 1.0):
        with lora.at(strength):
            away.append(float((ask(net)[0] - before[0]).norm()))

    assert away[0] == 0
    assert 0 < away[1] < away[2]


def test_beside_another_only_the_later_one_is_trained(trained: tuple[Any, Lora, Any]) -> None:
    net, lora, _ = trained
    alone = ask(net)
    later = Lora(net, rank=4)
    learning = {id(parameter) for parameter in net.parameters() if parameter.requires_grad}

    torch.testing.assert_close(ask(net), alone)  # the first is still there
    assert learning == {id(parameter) for parameter in later.parameters()}
    for parameter in later.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    with lora.at(0.0):
        without = ask(net)
    assert not torch.allclose(ask(net)[0], without[0], atol=1e-3)


@pytest.mark.parametrize("rank", [8, 4])
def test_it_becomes_what_is_nearest_to_one_of_a_higher_rank(trained: tuple[Any, Lora, Any], rank: int) -> None:
    _, lora, _ = trained
    layers = PICTURE_LAYERS if "gate" not in str(list(lora.state_dict())) else STEERED_LAYERS
    smaller = Lora(make(), rank=rank, layers=layers)

    smaller.approach(lora.state_dict())

    for name, (large, small) in _changes(lora, smaller).items():
        nearest = torch.linalg.svdvals(large)[rank:].norm()  # by Eckart, Young and Mirsky
        torch.testing.assert_close((large - small).norm(), nearest, atol=1e-3, rtol=1e-3, msg=name)


def _changes(*loras: Lora) -> dict[str, list[Tensor]]:
    found: dict[str, list[Tensor]] = {}
    for lora in loras:
        tensors = {key: value.detach() for key, value in lora.state_dict().items()}
        for layer in {key.rpartition(".lora_")[0] for key in tensors}:
            change = tensors[f"{layer}.lora_B.weight"] @ tensors[f"{layer}.lora_A.weight"]
            found.setdefault(layer, []).append(change)
    return found


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_comfyui_reads_the_file_as_it_was_trained(
    trained: tuple[Any, Lora, Any], strength: float, tmp_path: Path
) -> None:
    import comfy.lora

    net, lora, _ = trained
    save_file({key: value.detach() for key, value in lora.state_dict().items()}, tmp_path / "lora.safetensors")
    torch.manual_seed(0)
    plain = make().eval()
    weights = [name for name in plain.state_dict() if name.endswith(".weight")]
    keys = {f"diffusion_model.{name.removesuffix('.weight')}": name for name in weights}
    patches = comfy.lora.load_lora(load_file(tmp_path / "lora.safetensors"), keys)
    assert len(patches) == len(lora.state_dict()) / 2

    with torch.no_grad():
        for name, patch in patches.items():
            weight = plain.get_parameter(name)
            changed = comfy.lora.calculate_weight([(strength, patch, 1.0, None, None)], weight.clone(), name)
            weight.copy_(changed)
    with lora.at(strength):
        theirs, ours = ask(plain), ask(net)

    torch.testing.assert_close(theirs, ours, atol=1e-4, rtol=1e-4)
