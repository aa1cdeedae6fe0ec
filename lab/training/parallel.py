"""Several processes that train one network together: each on its own data, with the mean of their gradients.

On a CPU two processes of one thread each do more than one process of two, because small tensors keep no two busy.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import Tensor, distributed

_alone = False


def join(rank: int, processes: int, port: int) -> None:
    """Meet the others on loopback."""
    address = f"tcp://127.0.0.1:{port}"
    patience = timedelta(days=2)  # the others wait while one does what is not shared
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=processes, timeout=patience)


def together() -> bool:
    """Whether there are several processes that train the same network now."""
    return distributed.is_initialized() and not _alone


def rank() -> int:
    """Which of those that train together this is; 0 where there is one."""
    return distributed.get_rank() if together() else 0


@contextmanager
def alone() -> Iterator[None]:
    """For a while each process trains something of its own."""
    global _alone  # noqa: PLW0603
    _alone = True
    try:
        yield
    finally:
        _alone = False


def meet() -> None:
    """Wait for all processes."""
    if distributed.is_initialized():
        distributed.barrier()


@torch.no_grad()
def share(parameters: Iterable[Tensor]) -> None:
    """Take the values of the first process."""
    if together():
        for parameter in parameters:
            distributed.broadcast(parameter.data, 0)


@torch.no_grad()
def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace every gradient by the mean over all processes; where one has none, it counts as zero."""
    if not together():
        return
    gradients = []
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        gradients.append(parameter.grad)
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))
