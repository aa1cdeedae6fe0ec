"""Files dropped or pasted anywhere on the page: each goes where it fits, or the page asks, or says why not."""

import json
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.web.conftest import Watch
from tests.web.driver import choose, drop, expect_mode, step


def held(page: Page, field: str) -> Locator:
    """What shows that a field has a file."""
    place = page.locator(f"#{field}")
    return place.get_by_label("Clear").or_(place.get_by_label("Remove")).first


def use_as(page: Page, place: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=place, exact=True).click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_file_dropped_anywhere_goes_where_it_fits(
    page: Page, page_url_without_comfyui: str, watch: Watch, samples: Mapping[str, Path], tmp_path: Path
) -> None:
    page.goto(page_url_without_comfyui)
    expect(page.locator("#t2v-generate")).to_be_visible()
    told = page.locator("#told")
    with step("a picture fits several places: the page asks"):
        drop(page, samples["image"])
        expect(page.get_by_role("dialog", name=f"Use “{samples['image'].name}” as")).to_be_visible()
        assert page.get_by_role("dialog").locator("li").all_inner_texts() == [
            "First frame (Image to video)",
            "Face (Lipsync)",
            "First frame (First and last frame)",
            "Last frame (First and last frame)",
        ]
        use_as(page, "Face (Lipsync)")
        expect_mode(page, "lipsync")
        expect(held(page, "lipsync-image")).to_be_visible()
        expect(told).to_contain_text("is used as: Face (Lipsync).")
    with step("a sound fits the one empty field of the open mode"):
        drop(page, samples["sound"])
        expect(held(page, "lipsync-audio")).to_be_visible()
        expect(told).to_contain_text("is used as: Voice (Lipsync).")
    with step("of two files each finds its place"):
        choose(page, "keyframe")
        drop(page, samples["image"], samples["last"])
        use_as(page, "First frame (First and last frame)")
        expect(held(page, "keyframe-first-image")).to_be_visible()
        expect(held(page, "keyframe-last-image")).to_be_visible()
    with step("a foreign video has two uses and more, and is no dead end"):
        drop(page, samples["clip"])
        for place in ("Clip to restyle (Style transfer)", "Its first frame (Image to video)"):
            expect(page.get_by_role("dialog").get_by_role("button", name=place, exact=True)).to_be_visible()
        use_as(page, "Its first frame (Image to video)")
        expect_mode(page, "i2v")
        expect(held(page, "i2v-image")).to_be_visible()
    with step("a picture is pasted into the only field that is empty"):
        held(page, "i2v-image").focus()
        page.keyboard.press("Enter")
        expect(held(page, "i2v-image")).to_be_hidden()
        page.wait_for_function("document.activeElement.closest('#i2v-image')")  # the focus does not get lost
        drop(page, samples["image"], pasted=True)
        expect(held(page, "i2v-image")).to_be_visible()
    with step("a video is restyled"):
        choose(page, "t2v")
        drop(page, samples["clip"])
        use_as(page, "Clip to restyle (Style transfer)")
        expect_mode(page, "style")
        expect(page.locator("#style-clip video")).to_be_attached()
    assert watch.errors == []


def test_lists_and_workflows_open_their_panels_and_wrong_files_are_told(
    page: Page, page_url_without_comfyui: str, watch: Watch, samples: Mapping[str, Path], tmp_path: Path
) -> None:
    page.goto(page_url_without_comfyui)
    expect(page.locator("#t2v-generate")).to_be_visible()
    told, toast = page.locator("#told"), page.locator(".toast-body")
    with step("what nothing takes is said in the studio's words, and the next one is taken"):
        (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.4")
        drop(page, tmp_path / "notes.pdf")
        expect(told).to_contain_text("The studio can't use “notes.pdf”.")
        (tmp_path / "broken.png").write_bytes(b"no picture")
        drop(page, tmp_path / "broken.png")
        expect(told).to_contain_text("broken.png")
        expect(toast).to_have_count(0)
    with step("a list of prompts opens the batch"):
        (tmp_path / "ten.txt").write_text("\n".join(f"ball {number}" for number in range(10)))
        drop(page, tmp_path / "ten.txt")
        expect(page.locator("#batch-card")).to_contain_text("10 clips")
        expect(page.get_by_role("button", name="Add 10 clips to queue")).to_be_enabled()
    with step("a workflow opens its panel"):
        (tmp_path / "mine.json").write_text(json.dumps({"1": {"class_type": "EmptyImage", "inputs": {}}}))
        drop(page, tmp_path / "mine.json")
        expect(page.locator("#workflow-file")).to_contain_text("mine")
        expect(page.locator("#workflow-card")).to_contain_text("ComfyUI")
    assert watch.errors == []
    with step("a wrong type on a field is refused in the studio's words"):
        choose(page, "a2v")
        page.locator("#a2v-audio input[type=file]").first.set_input_files(str(samples["image"]))
        expect(page.locator("#form-a2v")).to_contain_text(f"{samples['image'].name} is a picture, not a sound file")
        expect(toast).to_have_count(0)
    with step("a broken file is told once, without a broken picture"):
        for mode, field, name in (("i2v", "image", "no.png"), ("style", "clip", "no.mp4")):
            (tmp_path / name).write_bytes(b"nothing of the kind")
            choose(page, mode)
            page.locator(f"#{mode}-{field} input[type=file]").first.set_input_files(str(tmp_path / name))
            expect(page.locator(f"#{mode}-told")).to_contain_text(name)
            expect(page.locator(f"#{mode}-{field} img:not(.unreadable)")).to_have_count(0)
        page.wait_for_timeout(500)
        expect(toast).to_have_count(0)
