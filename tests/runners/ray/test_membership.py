"""Workers that fail in unusual ways: the others go on."""

import time
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.errors import ExecutionError
from ltx_studio.runners.ray import membership as module
from ltx_studio.runners.ray.link import Link
from ltx_studio.runners.ray.membership import Membership
from ltx_studio.settings import Settings
from tests.runners.quick import QuickRunner
from tests.runners.ray.standin import ThreadCluster, apart


def broken(*_: Any, **__: Any) -> Any:
    raise ExecutionError("CUDA error: an illegal memory access", "")


def names(membership: Membership) -> list[str]:
    return [each.name for each in membership.roster.members()]


@pytest.fixture
def cluster(tmp_path: Path) -> ThreadCluster:
    return ThreadCluster(QuickRunner, apart(tmp_path, "one", "two"))


@pytest.fixture
def studio(home: Settings, cluster: ThreadCluster) -> Membership:
    """Return the membership of a studio that has heard both workers."""
    membership = Membership(home, cluster)
    membership.look()
    return membership


def test_a_worker_that_cannot_describe_itself_is_lost_and_the_others_are_heard(
    studio: Membership, cluster: ThreadCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sick,) = cluster.links["one"]
    monkeypatch.setattr(sick, "look", broken)
    two = next(each for each in studio.roster.members() if each.name == "two")
    heard = two.heard
    studio.look()

    assert sick.is_dead
    assert names(studio) == ["two"]
    assert two.heard > heard


def test_where_a_worker_cannot_be_started_others_still_can(
    studio: Membership, cluster: ThreadCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.homes |= apart(tmp_path, "broken", "late")
    hire, tried = cluster.hire, []

    def some(place: str, name: str, token: str) -> Link:
        tried.append(place)
        return broken() if place == "broken" else hire(place, name, token)

    monkeypatch.setattr(cluster, "hire", some)
    studio.look()
    studio.look()

    assert names(studio) == ["one", "two", "late"]
    assert tried == ["broken", "late"]


def test_a_worker_that_cannot_free_its_models_is_lost(
    studio: Membership, cluster: ThreadCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sick,) = cluster.links["one"]
    monkeypatch.setattr(sick, "ask", broken)
    one = studio.roster.members()[0]

    assert studio.unload(one) is None
    assert sick.is_dead
    assert names(studio) == ["two"]


def test_where_a_worker_ended_soon_after_its_first_answer_the_next_one_starts_later(
    studio: Membership, cluster: ThreadCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HIRE_AGAIN_SECONDS", 0.3)
    cluster.links["one"][0].kill()
    for _ in range(3):
        studio.look()
    at_once = len(cluster.links["one"])
    time.sleep(0.3)
    studio.look()

    assert at_once == 1
    assert len(cluster.links["one"]) == 2
    assert len(cluster.links["two"]) == 1


def test_where_a_worker_has_lived_for_long_the_next_one_starts_at_once(
    studio: Membership, cluster: ThreadCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EARLY_SECONDS", 0.0)
    cluster.links["one"][0].kill()
    for _ in range(2):
        studio.look()

    assert len(cluster.links["one"]) == 2
