"""What a person does on the page, in a real browser, with the real engine."""

import itertools
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from playwright.sync_api import Browser, Page, expect

import app
from ltx_studio.engine import Engine
from ltx_studio.engine.boot import boot
from ltx_studio.modes import MODES
from ltx_studio.queue import LOCAL
from ltx_studio.settings import LOOPBACK, Settings
from ltx_studio.studio import Studio
from ltx_studio.web import build_app
from tests.support import ROOT, environment, outputs_of, run_studio
from tests.web.conftest import Watch, open_page
from tests.web.driver import (
    PLAYS,
    RUN_SECONDS,
    choose,
    expect_done,
    expect_playing,
    expect_sampling,
    give,
    keep_seed,
    open_mode,
    press,
    set_number,
    write,
)


def test_a_prompt_becomes_a_clip_that_plays(page: Page, page_url: str, watch: Watch) -> None:
    write(page, page_url, "a red ball bounces to the right", seconds=1)
    press(page, "Generate")

    expect_done(page)
    page.wait_for_function(PLAYS)
    assert page.evaluate("document.querySelector('#clip video').duration") == pytest.approx(25 / 24, abs=4 / 24)
    assert page.evaluate("document.querySelector('#clip video').videoWidth") == 256
    assert watch.errors == []


def test_nothing_is_asked_of_the_network(page: Page, page_url: str, watch: Watch) -> None:
    page.goto(page_url)
    expect(page.get_by_role("button", name="Generate")).to_be_visible()
    expect(page.locator("#t2v-told")).to_contain_text("256×192")
    page.wait_for_load_state("load")

    assert watch.hosts == {LOOPBACK}


def test_the_page_says_what_the_pocket_model_is_and_offers_the_real_sets(page: Page, page_url: str) -> None:
    page.goto(page_url)

    expect(page.locator("#studio-notice")).to_contain_text("coloured shapes")
    expect(page.locator("#studio-notice")).to_contain_text("real sets are under Models")


def test_progress_names_the_stages_and_the_snapped_length(page: Page, page_url: str) -> None:
    write(page, page_url, "night", seconds=3)
    press(page, "Generate")

    expect(page.locator(".chips .now")).to_have_count(1, timeout=RUN_SECONDS)
    expect(page.locator("#run")).to_contain_text("73 frames at 24 fps")
    expect_done(page)


def test_stop_stops_and_the_next_run_works(page: Page, page_url: str, settings: Settings) -> None:
    write(page, page_url, "a very long clip", seconds=10)
    before = outputs_of(settings)
    press(page, "Generate")
    expect_sampling(page)
    press(page, "Stop")

    expect(page.locator("#run")).to_contain_text("Stopped", timeout=RUN_SECONDS)
    assert outputs_of(settings) == before
    set_number(page, "t2v", "seconds", 1)
    press(page, "Generate")
    expect_done(page)
    page.wait_for_function(PLAYS)


def test_a_stop_that_takes_time_says_so_until_it_has_stopped(
    page: Page, page_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = boot(settings).nodes.NODE_CLASS_MAPPINGS["VAEDecodeTiled"]
    decoding, release, real = threading.Event(), threading.Event(), decoder.decode

    def decode(*args: Any, **options: Any) -> Any:
        decoding.set()
        assert release.wait(RUN_SECONDS / 1000)
        return real(*args, **options)

    monkeypatch.setattr(decoder, "decode", decode)
    write(page, page_url, "night")
    press(page, "Generate")
    expect(page.locator(".chips .now")).to_contain_text("Decode", timeout=RUN_SECONDS)
    assert decoding.wait(RUN_SECONDS / 1000)
    press(page, "Stop")
    stopping = page.get_by_role("button", name="Stopping", exact=True)

    expect(stopping).to_be_disabled()
    shown = page.locator("#run .elapsed").text_content()
    expect(page.locator("#run .elapsed")).not_to_have_text(str(shown))  # a heartbeat came and went
    expect(stopping).to_be_disabled()
    release.set()
    expect(page.locator("#run")).to_contain_text("Stopped", timeout=RUN_SECONDS)


def test_buttons_say_what_can_be_done_now(page: Page, page_url: str) -> None:
    write(page, page_url, "night")
    generate, stop = (page.get_by_role("button", name=name, exact=True) for name in ("Generate", "Stop"))
    expect(stop).to_be_hidden()

    generate.click()

    expect(stop).to_be_enabled()
    expect(generate).to_be_enabled()
    expect_done(page)
    expect(stop).to_be_hidden()


def test_a_kept_seed_is_used_and_a_new_one_is_shown(page: Page, page_url: str) -> None:
    write(page, page_url, "night")
    keep_seed(page, 4711)
    press(page, "Generate")
    expect_done(page)
    expect(page.locator("#run")).to_contain_text("seed 4711")

    seed = page.get_by_label("Seed", exact=True)
    page.get_by_label("New each time").check()
    press(page, "Generate")

    expect(seed).not_to_have_value("4711", timeout=RUN_SECONDS)
    expect_done(page)


def test_a_wrong_request_is_a_card_with_what_to_do(page: Page, page_url: str) -> None:
    write(page, page_url, "   ")
    press(page, "Generate")

    card = page.get_by_role("alert").first
    expect(card).to_contain_text("The prompt is empty")
    expect(card).to_contain_text("Write a prompt")
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_enabled()


def test_why_nothing_was_handed_in_stays_while_a_clip_is_made(page: Page, page_url: str) -> None:
    write(page, page_url, "a red ball", seconds=8)
    press(page, "Generate")
    expect_sampling(page)
    page.locator("#t2v-prompt textarea").fill("  ")
    press(page, "Generate")
    expect(page.locator("#told")).to_contain_text("The prompt is empty")
    elapsed = page.locator("#run .elapsed").text_content()
    expect(page.locator("#run .elapsed")).not_to_have_text(str(elapsed))

    expect(page.locator("#told")).to_contain_text("The prompt is empty")
    expect(page.locator("#stop")).to_be_visible()
    page.locator("#t2v-prompt textarea").press_sequentially("night")
    expect(page.locator("#told")).to_be_hidden()
    press(page, "Generate")
    press(page, "Stop")
    expect_done(page)


def by_mouse(page: Page) -> None:
    page.locator("#t2v-shape input").click()
    page.get_by_role("option", name="1:1").click()


def by_keyboard(page: Page) -> None:
    page.locator("#t2v-shape input").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def by_preset(page: Page) -> None:
    page.locator("#t2v-preset input").nth(1).check()


def by_dice(page: Page) -> None:
    page.locator("#t2v-dice").click()


def by_reset(page: Page) -> None:
    page.locator("#t2v-seconds button").first.click()


def by_mode(page: Page) -> None:
    choose(page, "a2v")
    expect(page.locator("#a2v-generate")).to_be_visible()
    choose(page, "t2v")


@pytest.mark.parametrize("change", [by_mouse, by_keyboard, by_preset, by_dice, by_reset, by_mode])
def test_why_nothing_was_handed_in_goes_when_the_form_is_changed(
    page: Page, page_url: str, change: Callable[[Page], None]
) -> None:
    page.goto(page_url)
    press(page, "Generate")
    expect(page.locator("#told")).to_contain_text("The prompt is empty")
    change(page)

    expect(page.locator("#told")).to_be_hidden()
    press(page, "Generate")
    expect(page.locator("#told")).to_contain_text("The prompt is empty")


def test_why_nothing_was_handed_in_stays_when_only_a_fold_is_opened(page: Page, page_url: str) -> None:
    page.goto(page_url)
    press(page, "Generate")
    expect(page.locator("#told")).to_contain_text("The prompt is empty")
    page.locator("#t2v-more > button").click()
    expect(page.locator("#t2v-lora-0")).to_be_visible()

    expect(page.locator("#told")).to_contain_text("The prompt is empty")


def test_a_double_click_hands_in_one_clip(page: Page, page_url: str, settings: Settings) -> None:
    write(page, page_url, "night")
    before = {job.id for job in Studio(settings).jobs.of(LOCAL, limit=1000)}
    page.locator("#t2v-generate").dblclick()
    expect_done(page)
    page.wait_for_timeout(500)

    assert len({job.id for job in Studio(settings).jobs.of(LOCAL, limit=1000)} - before) == 1


def test_the_page_carries_nothing_of_the_api_and_the_apis_own_page_says_what_it_is(page: Page, page_url: str) -> None:
    page.goto(page_url)
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_visible()
    assert page.evaluate("gradio_config.components.filter((each) => each.type === 'api').length") == 0
    assert page.locator(".nav-holder, nav").count() == 0

    page.goto(f"{page_url.rstrip('/')}/endpoints")
    expect(page.locator("body")).to_contain_text("Programs submit jobs at this server's address")
    assert page.locator(".nav-holder, nav").count() == 0


@pytest.mark.parametrize("seed", ["-5", "9007199254740993"])
def test_a_seed_out_of_range_is_a_card_too(page: Page, page_url: str, seed: str, watch: Watch) -> None:
    write(page, page_url, "night")
    keep_seed(page, seed)
    press(page, "Generate")

    expect(page.get_by_role("alert").first).to_contain_text("Use a value from 0 to")
    assert watch.errors == []


def test_hostile_text_is_shown_and_not_run(page: Page, page_url: str, watch: Watch) -> None:
    hostile = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> ${1+1} שלום 🙂"
    write(page, page_url, hostile)
    press(page, "Generate")
    expect_done(page)

    assert page.title() == "LTX 2.3 Studio"
    expect(page.locator("#t2v-prompt textarea")).to_have_value(hostile)
    assert watch.errors == []


HOSTILE_NAME = "<img src=x onerror=\"document.title='owned'\"> ${1+1} {{1}} `x` 'שלום' 🙂"


def test_hostile_names_of_files_are_shown_and_not_run(
    page: Page, page_url: str, watch: Watch, samples: dict[str, Path], tmp_path: Path
) -> None:
    picture, sound = (
        shutil.copyfile(samples[each], tmp_path / f"{HOSTILE_NAME}{samples[each].suffix}")
        for each in ("image", "sound")
    )
    damaged = [tmp_path / f"{HOSTILE_NAME}.{kind}" for kind in ("json", "mp4")]
    for each in damaged:
        each.write_text("no workflow, no video")
    open_mode(page, page_url, "lipsync")
    page.locator("#lipsync-prompt textarea").fill("night")
    give(page, "lipsync", {"image": picture, "audio": sound})
    page.locator("#own-workflow > button").click()
    page.locator("#workflow-file input[type=file]").set_input_files(str(damaged[0]))
    page.locator("#restore-file input[type=file]").set_input_files(str(damaged[1]))
    expect(page.locator("#told [role=alert]")).to_be_attached()
    choose(page, "i2v")
    page.locator("#i2v-prompt textarea").fill("night")
    give(page, "i2v", {"image": picture})
    set_number(page, "i2v", "seconds", 1)
    press(page, "Generate")
    expect_done(page)
    expect_playing(page)

    assert page.title() == "LTX 2.3 Studio"
    assert page.locator("img[src=x]").count() == 0
    assert watch.errors == []


def test_a_job_goes_on_when_its_tab_is_closed_and_whoever_comes_back_finds_it(browser: Browser, page_url: str) -> None:
    tab = browser.new_page()
    write(tab, page_url, "a long clip", seconds=5)
    press(tab, "Generate")
    expect_sampling(tab)
    tab.close()

    again = browser.new_page()
    again.goto(page_url)

    expect(again.locator("#run")).to_contain_text("121 frames", timeout=RUN_SECONDS)
    expect_done(again)
    again.wait_for_function(PLAYS)
    again.close()


def test_two_tabs_take_turns_and_each_gets_its_own_clip(browser: Browser, page_url: str) -> None:
    first, second = browser.new_page(), browser.new_page()
    write(first, page_url, "first", seconds=5)
    write(second, page_url, "second", seconds=1)
    press(first, "Generate")
    expect(first.locator(".chips .now")).to_have_count(1, timeout=RUN_SECONDS)
    press(second, "Generate")

    expect(second.locator("#run")).to_contain_text("Waiting: this one comes next")
    for tab, frames in ((first, 121), (second, 25)):
        expect_done(tab)
        expect(tab.locator("#run")).to_contain_text(f"{frames} frames")
        tab.wait_for_function(PLAYS)
        assert tab.evaluate("document.querySelector('#clip video').duration") == pytest.approx(frames / 24, abs=0.1)
        tab.close()


def test_a_broken_set_up_is_a_banner_with_the_command(page: Page, page_url_without_comfyui: str) -> None:
    page.goto(page_url_without_comfyui)

    banner = page.get_by_role("alert").first
    expect(banner).to_contain_text("is not installed")
    expect(banner.locator("code").first).to_have_text("ltx-studio setup")


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_is_wider_than_the_window(page: Page, page_url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(page_url)
    expect(page.get_by_role("button", name="Generate")).to_be_visible()
    expect(page.locator("#t2v-told")).to_contain_text("256×192")

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_clip_is_not_served_from_where_it_can_be_guessed(page: Page, page_url: str, settings: Settings) -> None:
    write(page, page_url, "private")
    press(page, "Generate")
    expect_done(page)
    newest = max(outputs_of(settings), key=lambda path: path.stat().st_mtime)

    shown = page.evaluate("document.querySelector('#clip video').currentSrc")
    assert page.request.get(shown).status == 200
    assert page.request.get(f"{page_url}gradio_api/file={newest}").status == 403


def test_the_app_is_a_blocks() -> None:
    assert isinstance(app.build_app(), gr.Blocks)


def test_the_desk_is_told_where_uploads_lie(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    studio = Studio(settings)

    build_app(settings, studio=studio)

    assert studio.jobs.uploads == tmp_path


@pytest.mark.parametrize("command", [["app.py"], ["-m", "ltx_studio", "serve"]])
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "when it serves"])
def test_serves_until_it_is_told_to_end(settings: Settings, command: list[str], at_once: bool, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(settings, GRADIO_TEMP_DIR=str(tmp_path), PYTHONFAULTHANDLER="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    url = line.split()[4]
    for _ in range(0 if at_once else 100):
        with urllib.request.urlopen(url) as answer:
            if answer.status == 200:
                break
        time.sleep(0.1)

    process.terminate()
    try:
        stdout, stderr = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # it tells where its threads are
        stdout, stderr = process.communicate()

    assert line.startswith("The page is at http://127.0.0.1:")
    assert (process.returncode, stdout, stderr) == (0, "", "")


def test_a_port_that_is_taken_is_an_error_with_advice(page_url: str, settings: Settings) -> None:
    port = page_url.strip("/").rpartition(":")[2]

    done = run_studio(settings, "serve", "--port", port)

    assert done.returncode == 2
    assert f"port {port}" in done.stderr.splitlines()[0]
    assert "--port" in done.stderr.splitlines()[-1]


def test_a_machine_too_busy_to_answer_at_once_is_not_one_without_a_network(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradio.networking.url_ok", lambda _url: False)  # what a HEAD that takes 3 s comes to
    blocks = build_app(settings)

    blocks.launch(server_name=LOOPBACK, quiet=True, prevent_thread_lock=True, ssr_mode=False)

    assert blocks.is_running
    blocks.close(verbose=False)


@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 844), (740, 450)])
def test_where_the_run_lies_below_the_form_why_nothing_was_handed_in_is_seen(
    width: int, height: int, page: Page, page_url: str
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(page_url)
    press(page, "Generate")
    expect(page.locator("#told")).to_contain_text("The prompt is empty")
    page.wait_for_function(
        """() => {
            const told = document.querySelector("#told .card");
            const { x, y, width, height } = told.getBoundingClientRect();
            return told.contains(document.elementFromPoint(x + width / 2, y + height / 4));
        }"""
    )


def test_escape_closes_a_list_and_leaves_the_run(page: Page, page_url: str) -> None:
    write(page, page_url, "a long clip", seconds=10)
    press(page, "Generate")
    expect_sampling(page)
    page.locator("#t2v-shape input").click()
    expect(page.get_by_role("option", name="1:1")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("option", name="1:1")).to_be_hidden()
    expect(page.locator("#stop")).to_be_enabled()
    page.keyboard.press("Escape")

    expect(page.locator("#run")).to_contain_text("Stopped. Nothing was kept.", timeout=RUN_SECONDS)


def test_a_long_name_that_is_told_with_generate_breaks(page: Page, page_url: str, tmp_path: Path) -> None:
    name = f"{'very_long_name_' * 12}.safetensors"
    (tmp_path / name).write_text("no LoRA")
    page.set_viewport_size({"width": 390, "height": 844})
    open_mode(page, page_url, "t2v")
    page.locator("#t2v-more > button").click()
    page.locator("#t2v-lora-0 input[type=file]").set_input_files(str(tmp_path / name))
    expect(page.locator("#t2v-told")).to_contain_text(name[:20])

    assert page.locator("#t2v-told").evaluate("each => each.scrollWidth <= each.clientWidth")


def test_on_a_phone_the_run_comes_into_sight_and_the_frame_stays(page: Page, page_url: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    write(page, page_url, "a red ball", seconds=1)
    button = page.get_by_role("button", name="Generate", exact=True)
    page.evaluate("scrollTo(0, 0)")
    expect(button).to_be_in_viewport(ratio=1)
    button.click()

    expect(page.locator("#run")).to_be_in_viewport(ratio=1)
    expect(page.locator("#studio-header h1")).to_be_in_viewport(ratio=1)
    expect_done(page)
    expect(page.locator("#clip video")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [768, 1440])
def test_run_clip_and_recipe_are_below_each_other(width: int, page: Page, page_url: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    write(page, page_url, "a red ball", seconds=1)
    press(page, "Generate")
    expect_done(page)
    expect(page.locator("#take-delete")).to_be_visible()

    box = "each => { const box = each.getBoundingClientRect(); return [box.left, box.top, box.bottom]; }"
    places = [page.locator(each).evaluate(box) for each in ("#run", "#clip", "#recipe", "#take-delete")]
    assert {left for left, _, _ in places[:3]} == {places[0][0]}
    assert all(above[2] <= below[1] for above, below in itertools.pairwise(places))
    page.locator("#take-delete").click()
    page.locator("#take-sure").scroll_into_view_if_needed()
    expect(page.locator("#take-sure")).to_be_in_viewport(ratio=0.9)  # scrolled by whole pixels


def test_nothing_unseen_is_shown(page: Page, page_url: str) -> None:
    page.goto(page_url)
    for mode in MODES:
        choose(page, mode)

        hidden = page.locator("#ended, #begun, #take-changed, [id$=filling], [id$=-found], [id$=-changed]")
        assert hidden.filter(visible=True).count() == 0


def test_the_clip_stays_in_sight_while_the_form_is_scrolled(page: Page, page_url: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 700})
    open_mode(page, page_url, "lipsync")
    page.locator("#lipsync-more > button").first.click()
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 2000)
    page.wait_for_function("scrollY > 300")

    for kept in ("#run", "#studio-header h1", "#history", "#lipsync-generate"):
        expect(page.locator(kept)).to_be_in_viewport()


def test_a_space_leaves_room_above(page: Page, home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "somebody/studio")
    for url in open_page(home, Engine(home)):
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(url)

        assert page.locator("#studio-header h1").evaluate("each => each.getBoundingClientRect().top") >= 48
        assert page.evaluate("document.documentElement.scrollWidth") == 390
