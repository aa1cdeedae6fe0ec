"""The command of Ray that makes a machine part of a cluster."""

import sys
from collections.abc import Sequence

from ltx_studio.models.defaults import has_gpu
from ltx_studio.runners.ray.cluster import SLOT, load_ray


def join_command(address: str, slots: int | None) -> Sequence[str]:
    """Return the command that makes this machine part of a cluster until it is ended.

    Args:
        address: The address of the cluster, ``host:port``.
        slots: How many workers to have; None is one for each GPU, or one.

    Raises:
        SetupError: Ray is not installed.
    """
    load_ray()
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", f"--address={address}"]
    command += ["--disable-usage-stats", "--block"]
    if slots is None and (not has_gpu() or sys.platform == "darwin"):  # Ray does not count a Mac's GPU
        slots = 1
    return command if slots is None else [*command, f'--resources={{"{SLOT}": {slots}}}']
