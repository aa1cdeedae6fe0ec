"""What a person does on the page, for tests."""

import base64
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ltx_studio.engine.boot import boot
from ltx_studio.modes import MODES
from ltx_studio.queue import LOCAL, Done, JobSpec
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio

RUN_SECONDS = 60_000
PLAYS = "document.querySelector('#clip video')?.readyState >= 2"


@contextmanager
def step(name: str) -> Iterator[None]:
    """Name a part of a test in the message when it fails: opening the page costs more than most parts do."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in the step: {name}")
        raise


def open_mode(page: Page, url: str, mode: str) -> None:
    """Go to the page, and to a mode of it."""
    page.goto(url)
    choose(page, mode)


def choose(page: Page, mode: str) -> None:
    page.locator("#mode label").filter(has_text=MODES[mode].label).click()
    expect(page.locator(f"#{mode}-generate")).to_be_visible()
    expect_mode(page, mode)


def expect_mode(page: Page, mode: str) -> None:
    """Expect a mode to be open."""
    expect(page.get_by_role("radio", name=MODES[mode].label)).to_be_checked()


def open_panel(page: Page, url: str, name: str) -> None:
    """Go to the page, and open a panel of the drawer ("queue")."""
    page.goto(url)
    unfold(page, name)


def unfold(page: Page, name: str) -> None:
    """Open a panel by its button in the rail, which is in the library's tab on a phone."""
    expect(page.locator("html:not([data-loading])")).to_be_attached()  # what is there is shown
    button = page.locator(f"#rail-{name}")
    library = page.locator("#tab-library")
    expect(page.locator(f"#rail-{name}:visible, #tab-library:visible").first).to_be_visible()
    if library.is_visible():
        library.click()
    if button.get_attribute("aria-expanded") != "true":
        button.click()
    expect(page.locator(f"#panel-{name}")).to_be_visible()


def write(page: Page, url: str, prompt: str, *, seconds: float = 1, mode: str = "t2v") -> None:
    """Fill in a prompt and a length."""
    open_mode(page, url, mode)
    page.locator(f"#{mode}-prompt textarea").fill(prompt)
    set_number(page, mode, "seconds", seconds)


def made(settings: Settings, spec: JobSpec) -> Path:
    """Have the studio behind an open page make a clip, without the page, and return its file."""
    studio = Studio(settings)
    (job,) = studio.jobs.submit(LOCAL, [spec])
    *_, ended = studio.jobs.follow(job, LOCAL)
    assert isinstance(ended.state, Done), ended.state
    return studio.takes.path(studio.takes.get(ended.state.take, LOCAL))


def set_number(page: Page, mode: str, name: str, value: float) -> None:
    """Of a slider or a field for numbers."""
    field = page.locator(f"#{mode}-{name} input[type=number]")
    field.fill(str(value))
    field.press("Tab")


def choose_draft(page: Page, mode: str = "t2v") -> None:
    """Choose the preset that renders fastest."""
    page.locator(f"#{mode}-preset label").filter(has_text="Draft").click()
    expect(page.locator(f"#{mode}-told")).to_contain_text("half of")


def choose_shape(page: Page, shape: str, mode: str = "t2v") -> None:
    """Choose a shape by what its button says."""
    page.locator(f"#{mode}-shape label").filter(has_text=shape).click()


def choose_example(page: Page, mode: str, label: str) -> None:
    """Choose an example beside the prompt's title."""
    page.locator(f"#{mode}-tools").get_by_role("button", name="Examples").click()
    page.locator(f"#{mode}-tools .menu").get_by_role("button", name=label).click()


def upload_lora(page: Page, mode: str, path: Path) -> None:
    """Add a LoRA from a file of the browser's machine."""
    loras = page.locator(f"#{mode}-loras")
    loras.get_by_role("button", name="Add LoRA").click()
    with page.expect_file_chooser() as chooser:
        loras.get_by_role("button", name="Upload a file…").click()
    chooser.value.set_files(str(path))
    expect(loras.locator(".lora-rows li").first).to_be_visible()


def keep_seed(page: Page, seed: int | str, mode: str = "t2v") -> None:
    """Write a seed, and say that it is to stay."""
    page.locator(f"#{mode}-new-seed input").uncheck()
    page.locator(f"#{mode}-seed input").fill(str(seed))
    page.locator(f"#{mode}-seed input").press("Tab")


def give(page: Page, mode: str, files: Mapping[str, Path]) -> None:
    """Drop files on a mode's form."""
    for name, path in files.items():
        field = page.locator(f"#{mode}-{name.replace('_', '-')}")
        field.locator("input[type=file]").first.set_input_files(str(path))
        expect(field.get_by_label("Clear").or_(field.get_by_label("Remove")).first).to_be_visible()


HAS_FOCUS = "to => Boolean(document.activeElement?.matches(to))"


def tab_to(page: Page, to: str, *, most: int = 60, back: bool = False) -> None:
    """Press Tab, or with `back` Shift+Tab, until what the selector names has the focus, at most so many times."""
    for _ in range(most):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if page.evaluate(HAS_FOCUS, to):
            return
    raise AssertionError(f"{to} is no stop of Tab within {most}")


def press(page: Page, name: str) -> None:
    """A button by what is written on it."""
    page.get_by_role("button", name=name, exact=True).click()


def expect_done(page: Page) -> None:
    expect(page.locator("#run")).to_contain_text("Done in", timeout=RUN_SECONDS)


def expect_made(page: Page, seed: int | str) -> None:
    """Expect the clip with a seed, where another one was made before on the same page."""
    expect(page.locator("#run")).to_contain_text(re.compile(rf"Done in.*\bseed {seed}\b"), timeout=RUN_SECONDS)


def expect_sampling(page: Page) -> None:
    """At work on the picture; a busy browser may come to see the first stage too late."""
    expect(page.locator(".chips .now")).to_contain_text(re.compile("Stage [12]"), timeout=RUN_SECONDS)


def expect_playing(page: Page) -> None:
    page.wait_for_function(PLAYS)


def drop(page: Page, *paths: Path, pasted: bool = False) -> None:
    """Drop files anywhere on the page, or paste them."""
    page.evaluate(
        """([all, pasted]) => {
            const files = new DataTransfer();
            for (const [name, bytes, type] of all) {
                const content = Uint8Array.from(atob(bytes), (each) => each.charCodeAt(0));
                files.items.add(new File([content], name, { type }));
            }
            const how = { dataTransfer: files, clipboardData: files, bubbles: true, cancelable: true };
            document.body.dispatchEvent(pasted ? new ClipboardEvent("paste", how) : new DragEvent("drop", how));
        }""",
        [
            [[p.name, base64.b64encode(p.read_bytes()).decode(), guess_type(p.name)[0] or ""] for p in paths],
            pasted,
        ],
    )


def hold_decoder(settings: Settings, patch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Have the engine's decoder wait: the first event tells that it does, the second lets it go on."""
    decoder = boot(settings).nodes.NODE_CLASS_MAPPINGS["VAEDecodeTiled"]
    decoding, release, real = threading.Event(), threading.Event(), decoder.decode

    def decode(*args: Any, **options: Any) -> Any:
        decoding.set()
        assert release.wait(RUN_SECONDS / 1000)
        return real(*args, **options)

    patch.setattr(decoder, "decode", decode)
    return decoding, release
