"""The untrained transformer."""

from typing import Any

import torch

from lab import architecture


def make() -> Any:
    """Return an `LTXAVModel` of the recipe's size, float32, with initial weights for training."""
    from comfy.ldm.lightricks.av_model import LTXAVModel

    net = LTXAVModel(
        **architecture.TRANSFORMER, dtype=torch.float32, device=torch.get_default_device(), operations=torch.nn
    )
    with torch.no_grad():
        initialise(net)
    return net


def initialise(net: Any) -> None:
    """Initialise weights to keep a signal's scale; modulation starts small, gates start half open."""
    for name, parameter in net.named_parameters():
        if "scale_shift_table" in name:
            parameter.normal_(0, 0.02)
        elif name.endswith("norm.weight"):
            parameter.fill_(1)
        elif parameter.ndim == 2:
            parameter.normal_(0, parameter.shape[1] ** -0.5)
        else:
            parameter.zero_()
    for module in net.modules():
        if type(module).__name__ == "AdaLayerNormSingle":
            module.linear.weight.mul_(0.05)
    for block in net.transformer_blocks:
        for table in (block.scale_shift_table, block.audio_scale_shift_table):
            table[[2, 5, 8]] += 0.5
        block.scale_shift_table_a2v_ca_audio[4] += 0.5
        block.scale_shift_table_a2v_ca_video[4] += 0.5
    for name, module in net.named_modules():
        if name.endswith("to_gate_logits"):
            module.weight.zero_()
    net.proj_out.weight.mul_(0.1)
    net.audio_proj_out.weight.mul_(0.1)
