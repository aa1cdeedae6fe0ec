"""Which worker gets the next job, and which workers get none."""

from dataclasses import replace
from typing import Any

import pytest

from ltx_studio import __version__
from ltx_studio.runners.ray.fingerprint import Fingerprint, mismatch
from ltx_studio.runners.ray.link import EventStream
from ltx_studio.runners.ray.roster import Member, Roster

HERE = Fingerprint(__version__, "0.30.0", {"checkpoints/a": (10, "ab"), "vae/b": (20, "")}, ("pocket", "fp8"))


class NoLink:
    """A connection that nothing is asked over."""

    def look(self) -> None:
        return None

    def ask(self, method: str, *given: Any, timeout: float) -> Any:
        raise AssertionError

    def tell(self, method: str, *given: Any) -> None:
        raise AssertionError

    def stream(self, method: str, *given: Any) -> EventStream:
        raise AssertionError

    def kill(self) -> None:
        raise AssertionError


def joined(roster: Roster, name: str, fingerprint: Fingerprint = HERE, **said: Any) -> Member:
    member = roster.add(name, NoLink())
    described = {"fingerprint": fingerprint.to_dict(), "shares_home": True, "model_set": "", "memory": None}
    roster.hear(member, described | {"problem": None} | said)
    return member


def taken(roster: Roster, model_set: str, job: str = "job", *, again: bool = False) -> Member | None:
    return roster.take(roster.queue(model_set, job, again=again))


def test_a_job_goes_where_its_models_are_loaded_else_where_nothing_is() -> None:
    roster = Roster(HERE)
    joined(roster, "one", model_set="fp8")
    cold = joined(roster, "two")
    warm = joined(roster, "three", model_set="pocket")

    assert taken(roster, "pocket") is warm
    assert taken(roster, "pocket") is cold


def test_of_workers_with_other_models_the_one_that_was_free_for_longest_is_used() -> None:
    now = [0.0]
    roster = Roster(HERE, lambda: now[0])
    first, second = joined(roster, "one", model_set="fp8"), joined(roster, "two", model_set="fp8")
    now[0] = 5.0
    roster.release(first, "fp8")

    assert taken(roster, "pocket") is second


def test_a_worker_runs_one_job_at_a_time() -> None:
    roster = Roster(HERE)
    one = joined(roster, "one")
    assert taken(roster, "pocket") is one

    ticket = roster.queue("pocket", "next")
    assert roster.take(ticket) is None
    roster.release(one, "pocket")
    assert roster.take(ticket) is one


def test_a_job_that_lost_its_worker_comes_before_new_ones() -> None:
    roster = Roster(HERE)
    one = joined(roster, "one")
    taken(roster, "pocket", "running")
    new, again = roster.queue("pocket", "new"), roster.queue("pocket", "again", again=True)
    roster.release(one, "pocket")

    assert roster.take(new) is None
    assert roster.take(again) is one


def test_a_ticket_that_is_given_up_holds_nobody_up() -> None:
    roster = Roster(HERE)
    one = joined(roster, "one")
    first, second = roster.queue("pocket", "first"), roster.queue("pocket", "second")
    roster.leave(first)

    assert roster.take(second) is one


def test_a_job_waits_for_a_worker_that_has_its_models() -> None:
    roster = Roster(HERE)
    joined(roster, "one", replace(HERE, model_sets=("pocket",)))
    able = joined(roster, "two")
    assert taken(roster, "fp8") is able

    assert taken(roster, "fp8") is None


def test_a_job_whose_models_no_worker_has_goes_to_one_that_says_so() -> None:
    roster = Roster(HERE)
    one = joined(roster, "one", replace(HERE, model_sets=("pocket",)))

    assert taken(roster, "fp8") is one


@pytest.mark.parametrize(
    ("worker", "said"),
    [
        (HERE, ""),
        (replace(HERE, studio="9.9"), "LTX 2.3 Studio 9.9"),
        (replace(HERE, comfyui="0.46.0"), "ComfyUI 0.46.0"),
        (replace(HERE, comfyui=""), "no ComfyUI"),
        (replace(HERE, files={"checkpoints/a": (11, "")}), "checkpoints/a"),
        (replace(HERE, files={"checkpoints/a": (10, "cd"), "vae/b": (21, "")}), "checkpoints/a (and 1 more)"),
        (replace(HERE, files={"checkpoints/a": (10, "")}), ""),
        (replace(HERE, files={"checkpoints/other": (1, "")}), ""),
        (replace(HERE, model_sets=()), "none of this studio's model sets: pocket, fp8"),
    ],
)
def test_a_worker_that_differs_is_refused_with_the_reason(worker: Fingerprint, said: str) -> None:
    reason = mismatch(HERE, worker)
    assert (said in reason) if said else (reason == "")

    roster = Roster(HERE)
    member = joined(roster, "one", worker)
    assert member.state().problem == reason
    assert roster.accepted() == (0 if said else 1)
    assert taken(roster, "pocket") is (None if said else member)


def test_a_worker_gets_no_jobs_before_it_has_answered() -> None:
    roster = Roster(HERE)
    member = roster.add("one", NoLink())

    assert roster.accepted() == 0
    assert taken(roster, "pocket") is None
    assert member.state().problem


def test_only_workers_that_have_been_idle_for_long_are_unloaded() -> None:
    now = [0.0]
    roster = Roster(HERE, lambda: now[0])
    loaded, busy = joined(roster, "one", model_set="fp8"), joined(roster, "two", model_set="pocket")
    joined(roster, "three")
    assert taken(roster, "pocket") is busy
    now[0] = 60.0

    assert roster.idle(59) == [loaded]
    assert roster.idle(61) == []


def test_fingerprints_survive_the_way_and_unknown_versions() -> None:
    assert Fingerprint.from_dict(HERE.to_dict() | {"more": 1}) == HERE
    assert mismatch(HERE, Fingerprint.from_dict({}))
