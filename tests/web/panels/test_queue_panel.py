"""The queue on the page: what it tells, what its buttons do, and that it keeps the focus; in a real browser."""

import pytest
from playwright.sync_api import Locator, Page, expect

from ltx_studio.errors import ExecutionError, StudioError
from ltx_studio.queue import LOCAL, Failed, Job, JobSpec, Progress, Queued, QueueSnapshot, Running, State
from ltx_studio.queue.batch import sweep
from ltx_studio.queue.snapshot import BatchCounts
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web import words
from ltx_studio.web.panels.queue_panel import counts, name_of, view
from tests.support import MODEL_SETS, queue_of, small_spec
from tests.web.conftest import Watch
from tests.web.driver import RUN_SECONDS
from tests.web.still import begin, hand_in, open_queue, panel, quiet, shared, studio, url

__all__ = ["panel", "quiet", "shared", "studio", "url"]

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> ${1+1} {{1}} `x`"


def job(state: State, *, id_: str = "j1", prompt: str = "a red ball", batch: str | None = None) -> Job:
    return Job(id_, "ada", "t2v", {"params": {"prompt": prompt, "seed": 7}}, 100.0, state, batch)


def row_of(line: QueueSnapshot, id_: str = "j1", chosen: str | None = None) -> dict[str, object]:
    (row,) = (row for row in view(line, chosen)["rows"] if row["id"] == id_)
    return dict(row)


def labels_of(row: dict[str, object]) -> list[str]:
    acts = row["acts"]
    assert isinstance(acts, list)
    return [act["says"] for act in acts]


def test_an_empty_queue_teaches() -> None:
    assert view(QueueSnapshot(), None)["empty"] == words.QUEUE_EMPTY
    assert view(QueueSnapshot(), None)["pause"] is None


def test_what_runs_tells_stage_step_and_how_far() -> None:
    row = row_of(QueueSnapshot(running=(job(Running(0.0, Progress("Stage 1", 2, 8, 1, 2))),)))

    assert row["status"] == "Stage 1: step 2 of 8"
    assert row["bar"] == 0.625
    assert labels_of(row) == ["Stop: a red ball"]


def test_what_is_being_stopped_cannot_be_stopped_again() -> None:
    row = row_of(QueueSnapshot(running=(job(Running(0.0, Progress(), stopping=True)),)))

    assert row["acts"] == [{"act": "cancel", "label": "Stopping", "says": "Stopping: a red ball", "off": True}]


def test_what_waits_tells_its_turn_and_only_later_ones_can_be_moved() -> None:
    line = QueueSnapshot(waiting=(job(Queued(0)), job(Queued(3), id_="j2")), waits=2)

    assert row_of(line)["status"] == "Next"
    assert labels_of(row_of(line)) == ["Cancel: a red ball"]
    assert row_of(line, "j2")["status"] == "4th in line"
    assert labels_of(row_of(line, "j2")) == ["Cancel: a red ball", "Move up: a red ball", "Move to top: a red ball"]


def test_what_failed_tells_why_and_can_be_tried_again() -> None:
    row = row_of(QueueSnapshot(ended=(job(Failed(1.0, ExecutionError("It broke.", "Mend it."))),)))

    assert (row["status"], row["hint"]) == ("It broke.", "Mend it.")
    assert labels_of(row) == ["Retry: a red ball"]


def test_the_clips_of_a_batch_are_told_together_and_apart() -> None:
    line = QueueSnapshot(waiting=(job(Queued(0), batch="b1"),), waits=1, batches={"b1": BatchCounts(8, 3, 1)})

    assert row_of(line, "b1")["status"] == "3 of 8 done"
    assert labels_of(row_of(line, "b1")) == ["Cancel the rest: Batch of 8: a red ball"]
    assert labels_of(row_of(line)) == ["Cancel: a red ball, 7"]


def test_more_than_is_shown_is_counted() -> None:
    line = QueueSnapshot(waiting=(job(Queued(0)),), waits=30)

    assert row_of(line, "more")["name"] == "and 29 more waiting"
    assert counts(line) == "30 waiting"


@pytest.mark.parametrize(
    ("prompt", "name"),
    [("  a  red\tball\nthat rolls", "a red ball"), ("x" * 90, "x" * 69 + "…"), (" \n ", "j1")],
)
def test_a_job_is_called_by_the_beginning_of_its_prompt(prompt: str, name: str) -> None:
    assert name_of(job(Queued(0), prompt=prompt)) == name


def test_the_job_that_the_page_follows_is_marked() -> None:
    line = QueueSnapshot(waiting=(job(Queued(0)), job(Queued(1), id_="j2")), waits=2)

    assert [row_of(line, each, chosen="j2")["chosen"] for each in ("j1", "j2")] == [False, True]


def press(panel: Locator, name: str) -> None:
    panel.get_by_role("button", name=name, exact=True).click()


def click_for(button: Locator, act: str, job_id: str) -> None:
    """A click as of a board that is out of date, or forged."""
    button.evaluate(
        """(each, [act, job]) => {
            const meant = { ...each.dataset };
            Object.assign(each.dataset, { act, job });
            each.click();
            Object.assign(each.dataset, meant);  // a board that has nothing new keeps its buttons
        }""",
        [act, job_id],
    )


def test_it_is_counted_on_the_closed_panel_and_changes_by_itself(
    page: Page, url: str, studio: Studio, watch: Watch
) -> None:
    first, _ = hand_in(studio, "first", "second")
    page.goto(url)
    button = page.locator("#rail-queue")
    expect(button).to_have_accessible_name("Queue: 2 waiting")
    expect(button.locator(".badge")).to_have_text("2")

    begin(studio, first, Progress("Stage 1", 1, 8, 1, 4))

    expect(button).to_have_accessible_name("Queue: 1 running, 1 waiting")
    queue_of(studio).drop(first)
    expect(button).to_have_accessible_name("Queue: 1 waiting")
    assert watch.errors == []


def test_hostile_prompts_and_errors_are_shown_and_not_run(panel: Locator, studio: Studio) -> None:
    _, failed = hand_in(studio, HOSTILE, f"two {HOSTILE}")
    begin(studio, failed, Progress())
    queue_of(studio).fail(failed, StudioError(HOSTILE, HOSTILE))

    expect(panel.locator(".line-queued .line-name")).to_contain_text(HOSTILE[:60])
    expect(panel.locator(".line-failed .line-status")).to_contain_text("${1+1} {{1}} x")
    assert panel.locator("img, script").count() == 0
    assert "owned" not in panel.page.title()


def test_moving_cancelling_and_trying_again(panel: Locator, studio: Studio) -> None:
    hand_in(studio, "one", "two", "three")
    rows = panel.locator(".line-queued .line-name")
    expect(rows).to_have_text(["one", "two", "three"])

    press(panel, "Move up: three")
    expect(rows).to_have_text(["one", "three", "two"])
    press(panel, "Move to top: two")
    expect(rows).to_have_text(["two", "one", "three"])
    press(panel, "Cancel: two")
    expect(rows).to_have_text(["one", "three"])
    expect(panel.locator(".line-cancelled")).to_contain_text("Stopped")
    press(panel, "Retry: two")
    expect(rows).to_have_text(["one", "three", "two"])

    assert [each.spec["params"]["prompt"] for each in studio.jobs.of(LOCAL)] == ["one", "three", "two"]


def test_a_pause_is_told_and_holds_until_it_is_over(panel: Locator, studio: Studio) -> None:
    hand_in(studio, "one")

    press(panel, "Pause")

    expect(panel).to_contain_text(words.PAUSED)
    assert queue_of(studio).claim() is None
    press(panel, "Resume")
    expect(panel).not_to_contain_text(words.PAUSED)
    assert queue_of(studio).claim() is not None


def test_the_rest_of_a_batch_is_cancelled_at_once(panel: Locator, studio: Studio) -> None:
    jobs = studio.jobs.submit(LOCAL, list(sweep(small_spec(prompt="many"), 4)))
    begin(studio, jobs[0], Progress("Stage 1", 1, 8, 1, 4))
    expect(panel).to_contain_text("0 of 4 done")

    press(panel, "Cancel the rest: Batch of 4: many")

    expect(panel.locator(".line-queued")).to_have_count(0)
    expect(panel.locator(".line-running")).to_have_count(1)


def test_a_button_keeps_the_focus_while_everything_around_it_changes(panel: Locator, studio: Studio) -> None:
    first, second, _ = hand_in(studio, "one", "two", "three")
    held = panel.get_by_role("button", name="Cancel: three", exact=True)
    held.focus()
    began = held.element_handle()

    begin(studio, first, Progress("Stage 1", 1, 8, 1, 4))
    expect(panel.locator(".line-running")).to_contain_text("step 1 of 8")
    queue_of(studio).drop(first)
    expect(panel.locator(".line-cancelled")).to_have_count(1)
    studio.jobs.move(second, LOCAL, 1)
    expect(panel.locator(".line-queued .line-name")).to_have_text(["three", "two"])

    expect(held).to_be_focused()
    assert began is not None
    assert began.evaluate("each => each === document.activeElement")


def test_it_is_used_by_keyboard_and_the_focus_is_never_lost(panel: Locator, studio: Studio) -> None:
    hand_in(studio, "one", "two")
    panel.get_by_role("button", name="Move to top: two", exact=True).focus()

    panel.page.keyboard.press("Enter")

    expect(panel.locator(".line-queued .line-name")).to_have_text(["two", "one"])
    expect(
        panel.get_by_role("button", name="Show: two", exact=True)
    ).to_be_focused()  # what is first has no "Move to top"
    panel.page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Cancel: two", exact=True)).to_be_focused()
    panel.page.keyboard.press("Space")
    expect(panel.locator(".line-cancelled .line-name")).to_have_text(["two"])
    expect(panel.get_by_role("button", name="Show: two", exact=True)).to_be_focused()


def test_the_job_that_the_page_shows_is_marked_and_a_click_shows_another_at_once(
    page: Page, url: str, studio: Studio
) -> None:
    hand_in(studio, "one", "two", "three")
    panel = open_queue(page, url)
    marked, shown = panel.locator("[aria-current=true]"), page.locator("#run")
    expect(marked).to_have_text("one")
    expect(shown).to_contain_text("Waiting: next in line")

    press(panel, "Show: three")
    expect(shown).to_contain_text("Waiting: 2 ahead")
    expect(marked).to_have_text("three")
    press(panel, "Show: two")

    expect(shown).to_contain_text("Waiting: 1 ahead")
    expect(marked).to_have_text("two")
    press(panel, "Show: one")
    expect(shown).to_contain_text("Waiting: next in line")
    expect(marked).to_have_text("one")


def test_what_cannot_be_done_any_more_is_a_card(panel: Locator, studio: Studio) -> None:
    _, second = hand_in(studio, "one", "two")
    expect(panel.locator(".line-queued")).to_have_count(2)
    queue_of(studio).claim(only=[second])

    click_for(panel.get_by_role("button", name="Cancel: one", exact=True), "first", second)

    expect(panel.locator("#queue-said")).to_contain_text("Only waiting jobs can be moved")
    press(panel, "Cancel: one")
    expect(panel.locator("#queue-said")).to_be_hidden()


def test_nobody_sees_or_stops_what_is_anothers(panel: Locator, studio: Studio) -> None:
    (job_id,) = studio.jobs.submit("somebody else", [small_spec(prompt="private")])
    hand_in(studio, "mine")
    expect(panel.locator(".line-name")).to_have_text(["mine"])
    cancel = panel.get_by_role("button", name="Cancel: mine", exact=True)

    click_for(cancel, "cancel", job_id)

    expect(panel.locator("#queue-said")).to_contain_text("There is no job")
    assert isinstance(studio.jobs.get(job_id, "somebody else").state, Queued)


def test_nothing_is_wider_than_the_drawer(page: Page, url: str, studio: Studio) -> None:
    failed, _ = hand_in(studio, "x" * 300, "a red ball")
    begin(studio, failed, Progress())
    queue_of(studio).fail(failed, StudioError("y" * 200, "`" + "z" * 200 + "`"))
    page.set_viewport_size({"width": 320, "height": 800})
    panel = open_queue(page, url)
    expect(panel.locator(".line-failed")).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert panel.evaluate("each => each.scrollWidth <= each.clientWidth")


def test_a_real_job_runs_is_stopped_here_and_tried_again(
    page: Page, page_url: str, settings: Settings, watch: Watch
) -> None:
    studio = Studio(settings)
    spec = JobSpec.from_request(
        "t2v", {"prompt": "stopped in the queue", "seconds": 4, "seed": 1}, MODEL_SETS["pocket"], "balanced"
    )
    studio.jobs.submit(LOCAL, [spec])
    panel = open_queue(page, page_url)
    row = panel.locator(".line-row", has_text="stopped in the queue")
    expect(row.locator(".line-status")).to_contain_text("step", timeout=RUN_SECONDS)

    press(panel, "Stop: stopped in the queue")

    expect(row.locator(".line-status")).to_have_text("Stopped", timeout=RUN_SECONDS)
    press(panel, "Retry: stopped in the queue")
    expect(row.locator(".line-status")).to_contain_text("step", timeout=RUN_SECONDS)
    press(panel, "Stop: stopped in the queue")
    expect(row.locator(".line-status")).to_have_text("Stopped", timeout=RUN_SECONDS)
    assert watch.errors == []
