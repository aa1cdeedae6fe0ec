"""Runs through the platform's real package and fork, on the real engine: what a visitor gets, whatever happens."""

import time
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.modes import MODES
from tests.fixtures import Request
from tests.runners.zerogpu.hosted.device_api import BROKEN, EXPIRED, NO_GPU_IN_QUEUE, NO_GPU_NOW, Answer, quota
from tests.runners.zerogpu.hosted.hosts import HostProcess

TOKEN = "head.eyJ1c2VyIjoiYSJ9.tail"
OTHER = "head.eyJ1c2VyIjoiYiJ9.tail"


def kinds(ran: Any) -> list[str]:
    return [event["type"] for event in ran["events"]]


def error_of(ran: Any) -> Any:
    """Return the error of a failed run, and check that it left nothing."""
    last = ran["events"][-1]
    assert last["type"] == "Failed", last
    assert ran["staged"] == []
    return last["error"]


def test_a_run_streams_its_progress_and_previews_and_gives_its_file(host: HostProcess) -> None:
    ran = host.ask("run", "whole", TOKEN)

    seen = kinds(ran)
    assert seen[:2] == ["Prepared", "Waiting"]
    assert {"Started", "PhaseStarted", "Step", "Preview", "Output"} <= set(seen)
    assert seen[-1] == "Finished"
    assert ran["events"][-1]["sizes"][0] > 1_000
    assert ran["memory"] == "cpu"
    assert host.api.of("/release")[-1]["fail"] == "false"


def test_the_visitors_token_and_the_quoted_time_reach_the_platform(host: HostProcess) -> None:
    host.ask("run", "warm-up", TOKEN)
    seconds, counted, fits = host.ask("cost")
    host.api.forget()

    host.ask("run", "billed", TOKEN)
    host.ask("run", "anonymous", None)

    billed, anonymous = host.api.of("/schedule")
    assert (billed["token"], billed["gpuSize"]) == (TOKEN, "large")
    assert (int(billed["durationSeconds"]), counted, fits) == (seconds, seconds, True)
    assert "token" not in anonymous
    assert host.api.of("/allow") == []  # both ran in the warm process


def test_a_card_that_counts_more_is_in_the_quote_and_in_what_is_reserved(host: HostProcess) -> None:
    host.ask("card", 1.5)  # a Blackwell card
    try:
        host.ask("run", "warm-up", TOKEN)
        seconds, counted, fits = host.ask("cost")
        host.api.forget()
        host.ask("run", "counted", TOKEN)
    finally:
        host.ask("card", 1.0)

    (asked,) = host.api.of("/schedule")
    assert int(asked["durationSeconds"]) == counted == round(1.5 * seconds)
    assert fits


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "t2v"])
def test_the_other_modes_run_in_the_same_process(host: HostProcess, mode: str, small: Request) -> None:
    host.ask("run", "before", TOKEN)
    host.api.forget()
    request = {name: str(value) if isinstance(value, Path) else value for name, value in small(mode).items()}

    ran = host.ask("run", f"mode-{mode}", TOKEN, mode=mode, **request)

    assert kinds(ran)[-1] == "Finished", ran["events"][-1]
    assert host.api.of("/allow") == []


def test_a_stop_inside_of_a_step_gives_the_gpu_back_and_keeps_the_process_warm(host: HostProcess) -> None:
    host.ask("run", "before", TOKEN)
    host.api.forget()

    ran = host.ask("run", "stopped", TOKEN, stop_at="Step", seconds=4, width=512, height=512)
    after = host.ask("run", "after", TOKEN)

    assert (kinds(ran)[-1], ran["staged"]) == ("Cancelled", [])
    assert ran["seconds"] < 20
    assert kinds(after)[-1] == "Finished"
    assert [each["fail"] for each in host.api.of("/release")] == ["false", "false"]
    assert host.api.of("/allow") == []


@pytest.mark.parametrize(("fault", "said"), [("raise", "broken in the GPU process"), ("exit", "SystemExit")])
def test_an_exception_arrives_whole_and_the_process_stays(host: HostProcess, fault: str, said: str) -> None:
    host.ask("run", "before", TOKEN)
    host.api.forget()

    error = error_of(host.ask("run", f"{fault}-it", TOKEN))

    assert (error["error"], said in error["message"]) == ("execution", True)
    assert "Traceback" in error["details"]
    assert kinds(host.ask("run", "after", TOKEN))[-1] == "Finished"
    assert [each["fail"] for each in host.api.of("/release")] == ["false", "false"]
    assert host.api.of("/allow") == []


def test_a_stream_without_a_result_is_a_failure(host: HostProcess) -> None:
    error = error_of(host.ask("run", "endless-it", TOKEN))

    assert (error["error"], error["details"]) == ("gpu_lost", "its stream ended without a result")


REFUSALS = {
    "quota": (quota(20, 3 * 3600), "gpu_quota", "you have 20 s left", "Try again in 3:00:00"),
    "free": (
        quota(20, 60, ("X-Authenticated", "regular")), "gpu_quota", "you have 20 s left", "get a PRO account"
    ),
    "pro": (
        quota(20, 60, ("X-Authenticated", "pro")), "gpu_quota", "20 s left", "or make a smaller or shorter clip."
    ),
    "runs": (quota(20, 0), "gpu_quota", "limit of GPU runs", "Try again later"),
    "pending": (
        quota(20, 60, ("X-Approve-Result", "pending-overquota-exceeded")), "gpu_quota", "other runs", "Try again later"
    ),
    "duration": (quota(20, -1), "gpu_duration", "more than your account may use", "shorter or smaller"),
    "none": (NO_GPU_NOW, "gpu_busy", "No GPU was free", "in a minute"),
    "queue": (NO_GPU_IN_QUEUE, "gpu_busy", "No GPU was free", "in a minute"),
    "token": (EXPIRED, "gpu_visit", "session has expired", "Reload the page"),
    "broken": (BROKEN, "gpu", "could not provide a GPU", "in a minute"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_each_refusal_has_its_code_message_and_remedy(host: HostProcess, name: str) -> None:
    answer, code, message, hint = REFUSALS[name]
    host.api.answers = [answer]

    error = error_of(host.ask("run", f"refused-{name}", TOKEN))

    assert error["error"] == code
    assert message in error["message"]
    assert hint in error["hint"]
    assert host.api.of("/release") == []


def test_without_an_account_the_spaces_own_limit_is_named(host: HostProcess) -> None:
    host.api.answers = [quota(0, 60)]

    error = error_of(host.ask("run", "refused-anonymous", None))

    assert (error["error"], "without an account" in error["message"]) == ("gpu_quota", True)


def test_once_the_platform_has_told_a_visitors_account_their_quotes_go_by_it(host: HostProcess) -> None:
    def account_of(owner: str) -> str:
        return str(host.ask("account", owner))

    assert account_of("visitor-pro") == ""
    host.api.answers = [Answer(events=(("succeeded", {}),), headers=(("X-Authenticated", "pro"),))]

    assert host.ask("job", "visitor-pro", TOKEN)["job"]["state"] == "done"

    assert (account_of("visitor-pro"), account_of("visitor-other")) == ("pro", "")


def test_a_wait_for_a_gpu_can_be_stopped_and_the_gpu_is_given_back(host: HostProcess) -> None:
    host.api.answers = [Answer(events=(("ping", {}), ("ping", {}), ("succeeded", {})), pause=0.7)]

    ran = host.ask("run", "impatient", TOKEN, stop_at="Heartbeat")

    assert kinds(ran)[-1] == "Cancelled"
    assert ran["seconds"] < 1
    assert kinds(host.ask("run", "after", TOKEN))[-1] == "Finished"
    end = time.monotonic() + 30
    while len(host.api.of("/release")) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    assert [each["fail"] for each in host.api.of("/release")] == ["false", "false"]


def test_a_gpu_that_is_waited_for_is_used(host: HostProcess) -> None:
    host.api.answers = [Answer(events=(("ping", {}), ("succeeded", {})), headers=(("X-Queuing-Reason", "node"),))]

    assert kinds(host.ask("run", "patient", TOKEN))[-1] == "Finished"


def test_a_job_that_a_visitor_submits_is_theirs_alone(host: HostProcess) -> None:
    made = host.ask("job", "visitor-a", TOKEN)

    job = made["job"]
    assert (job["state"], made["states"][0]) == ("done", "queued")
    assert "running" in made["states"]
    assert made["previews"] > 0
    assert host.ask("takes", "visitor-a") == [job["take"]]
    assert host.ask("takes", "visitor-b") == []
    assert [each.get("token") for each in host.api.of("/schedule")] == [TOKEN]


def test_a_visitor_who_leaves_ends_the_run(host: HostProcess) -> None:
    left = host.ask("job", "visitor-c", TOKEN, leave_at="Stage 1", seconds=4, width=512, height=512)

    assert left["job"]["state"] == "cancelled"
    assert [each["fail"] for each in host.api.of("/release")] == ["false"]


def test_a_refused_job_has_failed_with_the_reason(host: HostProcess) -> None:
    host.api.answers = [quota(20, 3600)]

    job = host.ask("job", "visitor-d", TOKEN)["job"]

    assert (job["state"], job["error"]["error"]) == ("failed", "gpu_quota")


def test_two_visitors_at_once_are_billed_each_for_their_own(host: HostProcess) -> None:
    runs = [{"name": "one", "token": TOKEN}, {"name": "two", "token": OTHER}]

    one, two = host.ask("together", *runs)

    assert (kinds(one)[-1], kinds(two)[-1]) == ("Finished", "Finished")
    assert {each["token"] for each in host.api.of("/schedule")} == {TOKEN, OTHER}
    assert len(host.api.of("/release")) == 2


def test_a_run_that_is_cut_off_for_time_is_tried_once_more_with_twice_the_time(host: HostProcess) -> None:
    ran = host.ask("cut_off", TOKEN)

    first, second = (int(each["durationSeconds"]) for each in host.api.of("/schedule"))
    assert second == 2 * first
    assert kinds(ran)[-1] == "Finished"
    assert kinds(ran).count("Waiting") >= 2


def test_a_second_time_that_is_refused_leaves_the_first_error(host: HostProcess) -> None:
    host.api.answers = [None, quota(1, 3600)]

    error = error_of(host.ask("cut_off", TOKEN))

    assert (error["error"], error["remedies"]) == ("gpu_time", ["smaller", "retry"])


def test_a_process_that_is_killed_is_an_error_and_the_next_run_works(host: HostProcess) -> None:
    error = error_of(host.ask("run", "die-it", TOKEN))

    assert error["error"] == "gpu_lost"
    assert host.api.of("/release")[-1]["fail"] == "true"
    assert kinds(host.ask("run", "after", TOKEN))[-1] == "Finished"


def test_a_process_that_falls_silent_is_ended(host: HostProcess) -> None:
    host.ask("patience", 2.0)
    try:
        error = error_of(host.ask("run", "silent-it", TOKEN))
    finally:
        host.ask("patience", 60.0)

    assert (error["error"], "no output" in error["details"]) == ("gpu_lost", True)
    assert host.api.of("/release")[-1]["fail"] == "true"
