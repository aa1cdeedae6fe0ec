"""How a machine joins a cluster; Ray itself is not started."""

import sys
from types import ModuleType

import pytest

from ltx_studio.runners.ray import join


@pytest.fixture(autouse=True)
def _ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))
    for name in ("RAY_AUTH_MODE", "RAY_USAGE_STATS_ENABLED"):
        monkeypatch.setenv(name, "token" if name == "RAY_AUTH_MODE" else "0")


@pytest.mark.parametrize(
    ("slots", "gpu", "platform", "room"),
    [
        (None, True, "linux", []),
        (None, False, "linux", ['--resources={"ltx_slot": 1}']),
        (None, True, "darwin", ['--resources={"ltx_slot": 1}']),
        (3, True, "linux", ['--resources={"ltx_slot": 3}']),
    ],
)
def test_a_machine_has_room_for_one_worker_for_each_gpu_or_for_one(
    monkeypatch: pytest.MonkeyPatch, slots: int | None, gpu: bool, platform: str, room: list[str]
) -> None:
    monkeypatch.setattr(join, "has_gpu", lambda: gpu)
    monkeypatch.setattr(sys, "platform", platform)
    _, _, module, start, address, *options = join.join_command("head:6379", slots)

    assert (module, start, address) == ("ray.scripts.scripts", "start", "--address=head:6379")
    assert "--block" in options
    assert [each for each in options if each.startswith("--resources")] == room
