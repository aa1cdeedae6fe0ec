"""Several processes that train one network together: each on its own data, with averaged gradients.

On a CPU, two single-threaded processes do more than one with two threads, because small tensors cannot use both.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import Tensor, distributed

_alone = False


def join(rank: int, processes: int, port: int) -> None:
    """Connect to the other processes on loopback."""
    address = f"tcp://127.0.0.1:{port}"
    patience = timedelta(days=2)  # the others wait while one does unshared work
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=processes, timeout=patience)


def together() -> bool:
    """Return whether several processes are training the same network now."""
    return distributed.is_initialized() and not _alone


def rank() -> int:
    """Return this process's rank among those that train together; 0 if there is only one."""
    return distributed.get_rank() if together() else 0


@contextmanager
def alone() -> Iterator[None]:
    """Let each process train separately for a while."""
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
    """Copy the values of the first process."""
    if together():
        for parameter in parameters:
            distributed.broadcast(parameter.data, 0)


@torch.no_grad()
def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace every gradient by the mean over all processes; a missing one counts as zero."""
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
