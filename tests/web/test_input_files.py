"""Files whose type the browser does not know, on a field for pictures, sounds or clips."""

import base64
from pathlib import Path

import pytest
from PIL import Image
from pillow_heif import register_heif_opener
from playwright.sync_api import Locator, Page, expect

from tests.web.driver import open_mode


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture named as phones name it: Chromium knows no type for capital endings."""
    register_heif_opener()
    path = tmp_path / "IMG 0001.HEIC"
    Image.linear_gradient("L").convert("RGB").save(path, format="HEIF")
    return path


def drop_on(field: Locator, path: Path) -> None:
    """Drop a file on a field as a browser does that knows no type for it."""
    field.locator("button").first.evaluate(
        """(element, [name, bytes]) => {
            const files = new DataTransfer();
            files.items.add(new File([Uint8Array.from(atob(bytes), (each) => each.charCodeAt(0))], name));
            element.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
        }""",
        [path.name, base64.b64encode(path.read_bytes()).decode()],
    )


def test_a_photo_is_taken_by_choice_and_by_drop_and_a_text_is_refused_in_the_studios_words(
    page: Page, page_url_without_comfyui: str, photo: Path, tmp_path: Path
) -> None:
    open_mode(page, page_url_without_comfyui, "i2v")
    field = page.locator("#i2v-image")
    clear = field.get_by_label("Clear").or_(field.get_by_label("Remove")).first
    refusal = page.locator(".toast-body")

    with page.expect_file_chooser() as chooser:
        field.locator("button").first.click()
    assert ".heic" in str(field.locator("input[type=file]").first.get_attribute("accept"))  # else the dialog hides it
    chooser.value.set_files(str(photo))
    expect(clear).to_be_visible()
    clear.click()
    expect(clear).to_be_hidden()

    drop_on(field, photo)
    expect(clear).to_be_visible()
    expect(refusal).to_have_count(0)
    clear.click()
    expect(clear).to_be_hidden()

    text = tmp_path / "notes.txt"
    text.write_text("no picture")
    field.locator("input[type=file]").first.set_input_files(str(text))
    expect(page.locator("#form-i2v")).to_contain_text("notes.txt is not a picture.")
    expect(refusal).to_have_count(0)
