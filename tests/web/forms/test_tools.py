"""What a form does in the browser by itself: undo of a replaced prompt, recent prompts, LoRAs, pasted pictures."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ltx_studio.modes import MODES
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio, will_it_run
from tests.models.test_loras import write_lora
from tests.web.conftest import Watch
from tests.web.driver import choose, choose_example, choose_shape, press, set_number, step, upload_lora

PASTE = """([to, type]) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 400, height: 200 });
  const bytes = Uint8Array.from(atob(canvas.toDataURL("image/png").split(",")[1]), (each) => each.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], "pasted.png", { type }));
  const how = { clipboardData, bubbles: true, cancelable: true };
  document.querySelector(to).dispatchEvent(new ClipboardEvent("paste", how));
}"""
NAME = "a long name of a LoRA that says what it is for, of which nothing is cut off-v2.0"


@pytest.fixture
def lora(settings: Settings) -> Path:
    """A LoRA in the studio's folder, with what a trainer writes into its header."""
    noted = {"ss_base_model_version": "ltx-2.3", "trigger_words": "<b>in ink</b>, wash"}
    return write_lora(settings.models_dir / "loras" / "styles" / f"{NAME}.safetensors", noted)


FITS = will_it_run.Suggestion("It does not fit.", {"seconds": 3.0})
HEIGHTS = "all => all.map((each) => each.getBoundingClientRect().height)"


def top(page: Page, each: str) -> float:
    box = page.locator(each).bounding_box()
    assert box is not None
    return box["y"]


def test_the_prompt_comes_first_and_the_files_are_a_low_row_below_it(page: Page, page_url: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(page_url)
    for mode in MODES:
        with step(mode):
            choose(page, mode)
            assert top(page, f"#{mode}-prompt textarea") <= 250
            heights = page.eval_on_selector_all(f"#form-{mode} .files > .block", HEIGHTS)
            assert all(112 <= height <= 140 for height in heights), heights
            assert top(page, f"#{mode}-prompt") < top(page, f"#{mode}-shape") < top(page, f"#{mode}-preset")


def test_words_that_were_replaced_come_back_and_used_prompts_are_remembered(
    page: Page, page_url_without_comfyui: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.goto(page_url_without_comfyui)
    prompt, tools = page.locator("#t2v-prompt textarea"), page.locator("#t2v-tools")
    told = tools.locator(".replaced")
    first, second = (each for each in MODES["t2v"].examples[:2])
    with step("an example fills an empty prompt without a word"):
        choose_example(page, "t2v", first.label)
        expect(prompt).to_have_value(first.values["prompt"])
        expect(told).to_be_hidden()
    with step("words of one's own are replaced, and come back"):
        prompt.fill("a long prompt of my own")
        choose_example(page, "t2v", second.label)
        expect(prompt).to_have_value(second.values["prompt"])
        expect(told).to_contain_text("Prompt replaced.")
        told.get_by_role("button", name="Undo").click()
        expect(prompt).to_have_value("a long prompt of my own")
        expect(told).to_be_hidden()
        page.wait_for_function("localStorage.getItem('ltx-studio.form.t2v').includes('a long prompt of my own')")
    with step("with the keyboard too"):
        choose_example(page, "t2v", second.label)
        expect(told).to_be_visible()
        prompt.press("Control+z")
        expect(prompt).to_have_value("a long prompt of my own")
    with monkeypatch.context() as patch:
        applies_what_fits(page, patch)
    with step("what was used is offered again, in every mode and after a reload"):
        prompt.fill("<img src=x> used")
        press(page, "Generate")
        expect(page.get_by_role("alert").first).to_be_visible()  # nothing is installed
        page.reload()
        choose(page, "a2v")
        page.locator("#a2v-tools").get_by_role("button", name="Recent prompts").click()
        page.locator("#a2v-tools .menu").get_by_role("button", name="<img src=x> used").click()
        expect(page.locator("#a2v-prompt textarea")).to_have_value("<img src=x> used")
        page.keyboard.press("Control+z")  # the browser's own
        expect(page.locator("#a2v-prompt textarea")).to_have_value("")
    with step("a list is closed by Escape, and by a click elsewhere"):
        recent = page.locator("#a2v-tools").get_by_role("button", name="Recent prompts")
        for by_keyboard in (True, False):
            recent.click()
            expect(recent).to_have_attribute("aria-expanded", "true")
            if by_keyboard:
                page.keyboard.press("Escape")
            else:
                page.locator("#a2v-shape [data-testid=block-info]").click()
            expect(recent).to_have_attribute("aria-expanded", "false")

    assert page.locator("img[src=x]").count() == 0
    assert [error for error in watch.errors if "Abort" not in error and "errored out" not in error] == []


def applies_what_fits(page: Page, patch: pytest.MonkeyPatch) -> None:
    """Apply what would fit by its button, and take it back."""
    patch.setattr(Studio, "hardware", lambda _: True)
    patch.setattr(will_it_run, "misfit", lambda spec, *_: FITS if spec.params.seconds > 3 else None)
    seconds, tools = page.locator("#t2v-seconds input[type=number]"), page.locator("#t2v-tools")
    with step("what would fit is applied by a button, and can be taken back"):
        set_number(page, "t2v", "seconds", 5)
        page.get_by_role("button", name="Use 3 s").click()
        expect(seconds).to_have_value("3")
        expect(tools.locator(".replaced")).to_contain_text("Settings changed.")
        note, prompt = (page.locator(each).bounding_box() for each in ("#t2v-tools .replaced", "#t2v-prompt textarea"))
        assert note is not None
        assert prompt is not None
        assert note["y"] + note["height"] <= prompt["y"] + 1, "it does not lie on the prompt"
        expect(page.locator("#t2v-prompt textarea")).to_be_focused()
        tools.get_by_role("button", name="Undo").click()
        expect(seconds).to_have_value("5")
        expect(tools.locator(".replaced")).to_be_hidden()


def test_loras_are_chosen_from_the_folder_or_uploaded_and_stay_over_a_reload(
    page: Page, page_url: str, watch: Watch, lora: Path, tmp_path: Path
) -> None:
    page.goto(page_url)
    loras = page.locator("#t2v-loras")
    add, rows = loras.get_by_role("button", name="Add LoRA"), loras.locator(".lora-rows li")
    with step("nothing is shown of LoRAs that are not chosen"):
        expect(add).to_be_visible()
        expect(rows).to_have_count(0)
    with step("one is found by a word of its header"):
        add.click()
        loras.get_by_role("searchbox").fill("IN INK")
        expect(loras.locator(".lora-choice")).to_have_count(1)
        expect(loras.locator(".lora-choice")).to_contain_text("ltx-2.3 · <b>in ink</b>, wash")
        loras.locator(".lora-choice").click()
        expect(rows).to_have_count(1)
        expect(add).to_be_focused()
    with step("its whole name can be read"):
        name = rows.locator(".lora-name")
        expect(name).to_have_text(f"styles/{NAME}")
        assert name.evaluate("each => each.scrollWidth <= each.clientWidth")
    with step("a trigger word goes to the prompt"):
        rows.get_by_role("button", name="wash").click()
        expect(page.locator("#t2v-prompt textarea")).to_have_value("wash")
    with step("one that is uploaded joins it"):
        upload_lora(page, "t2v", write_lora(tmp_path / "mine.safetensors"))
        expect(rows).to_have_count(2)
        expect(page.locator("#t2v-told")).to_contain_text("256×192")
    with step("with strength 0 it has no effect, which is told"):
        strength = rows.last.get_by_role("spinbutton")
        strength.fill("0")
        strength.press("Tab")
        expect(page.locator("#t2v-told")).to_contain_text("has strength 0")
    with step("they are there when one comes back to the mode"):
        choose(page, "a2v")
        choose(page, "t2v")
        expect(rows).to_have_count(2)
        expect(add).to_be_visible()
    with step("after a reload they are there"):
        page.wait_for_function("localStorage.getItem('ltx-studio.form.t2v').includes('\"strength\":0')")
        page.reload()
        expect(rows).to_have_count(2)
        expect(rows.last.get_by_role("spinbutton")).to_have_value("0")
    with step("they are removed"):
        for left in (1, 0):
            rows.first.get_by_role("button", name="Remove").click()
            expect(rows).to_have_count(left)
        expect(page.locator("#t2v-told")).not_to_contain_text("has strength 0")
    with step("one that is none is told"):
        broken = tmp_path / "broken.safetensors"
        broken.write_text("no LoRA")
        upload_lora(page, "t2v", broken)
        expect(page.locator("#t2v-told")).to_contain_text("broken.safetensors is not a LoRA")

    assert [error for error in watch.errors if "Abort" not in error and "errored out" not in error] == []


def test_a_pasted_picture_goes_to_the_first_empty_field_and_gives_the_clip_its_shape(
    page: Page, page_url_without_comfyui: str
) -> None:
    page.goto(page_url_without_comfyui)
    choose(page, "keyframe")
    for number in (1, 2):
        page.evaluate(PASTE, ["#keyframe-prompt textarea", "image/png"])
        expect(page.locator(".files img")).to_have_count(number)
    expect(page.locator("#keyframe-told")).to_contain_text("320×128")  # 2:1
    expect(page.locator("#keyframe-size")).to_contain_text("320×128")
    with step("a size of one's own"):
        choose_shape(page, "Custom", "keyframe")
        expect(page.locator("#keyframe-size")).to_be_hidden()
        for side, pixels in (("width", "320"), ("height", "128")):  # it begins with the size before
            expect(page.locator(f"#keyframe-{side} input").first).to_have_value(pixels)
        set_number(page, "keyframe", "width", 256)
        set_number(page, "keyframe", "height", 256)
        expect(page.locator("#keyframe-told")).to_contain_text("256×256")
    with step("as many clips as are asked for"):
        set_number(page, "keyframe", "takes", 5)
        expect(page.locator("#keyframe-told")).to_contain_text("5 clips")
