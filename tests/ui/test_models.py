"""The page's models: what a set takes, getting it with a bar, stopping; in a real browser against a hub on loopback."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from ltx_studio.engine import Engine
from tests.models.conftest import SIZE, Shop, shop
from tests.ui.conftest import Watch, open_page

__all__ = ["shop"]

SET = """
[sets.tiny]
label = "Tiny"
width = 256
height = 256
token_width = 128
checkpoint = "one.safetensors"
text_encoder = "encoder.safetensors"
upscaler = "up.safetensors"
"""


@pytest.fixture
def tiny(shop: Shop) -> Iterator[str]:
    """A page whose studio knows one small set; gives its address."""
    for folder, name in (("checkpoints", "one"), ("text_encoders", "encoder"), ("latent_upscale_models", "up")):
        shop.add(f"{name}.safetensors", folder=folder, bytes=SIZE, licence="Mine <b>alone</b>")
    with (shop.settings.home / "models.toml").open("a") as own:
        own.write(SET)
    settings = replace(shop.settings, model_set="tiny")
    yield from open_page(settings, Engine(settings))


def open_models(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("button", name="Models").click()


def test_a_set_is_shown_fetched_and_here(page: Page, tiny: str, shop: Shop, watch: Watch) -> None:
    held = shop.hub.fail("one.safetensors", cut=SIZE // 2, wait=threading.Event())
    open_models(page, tiny)
    plan = page.locator("#models-plan")
    expect(plan).to_contain_text("To fetch: 9.0 MB of 9.0 MB")
    expect(plan).to_contain_text("Mine <b>alone</b>")

    page.get_by_role("button", name="Get what is missing").click()

    card = page.locator("#models-run")
    expect(card).to_contain_text("1.5 MB of 3.0 MB")
    expect(card).to_contain_text("7.5 MB of 9.0 MB")
    assert held.wait is not None
    held.wait.set()
    expect(card).to_contain_text("All files are here.", timeout=20_000)
    expect(plan).to_contain_text("All is here: 9.0 MB")
    expect(page.get_by_role("button", name="Get what is missing")).to_be_disabled()
    assert shop.store().path(shop.store().registry.get_file("one.safetensors")).stat().st_size == SIZE
    assert watch.errors == []


def test_stop_keeps_what_came(page: Page, tiny: str, shop: Shop) -> None:
    held = shop.hub.fail("one.safetensors", cut=SIZE // 2, wait=threading.Event())
    open_models(page, tiny)
    page.get_by_role("button", name="Get what is missing").click()
    expect(page.locator("#models-run")).to_contain_text("1.5 MB of 3.0 MB")

    page.locator("#models-stop").click()

    expect(page.locator("#models-run")).to_contain_text("Stopped. What was fetched is kept")
    assert held.wait is not None
    held.wait.set()
    page.get_by_role("button", name="Get what is missing").click()
    expect(page.locator("#models-run")).to_contain_text("All files are here.", timeout=20_000)
    assert shop.hub.sent("one.safetensors") < 1.1 * SIZE


def test_a_gate_is_said_with_what_to_do(page: Page, tiny: str, shop: Shop) -> None:
    shop.hub.repos["org/small"].gate = "hf_secret"
    open_models(page, tiny)

    page.get_by_role("button", name="Get what is missing").click()

    card = page.locator("#models-run .card.error")
    expect(card).to_contain_text("asks for consent")
    expect(card).to_contain_text("HF_TOKEN")
    expect(page.get_by_role("button", name="Get what is missing")).to_be_enabled()


def test_the_set_in_use_and_the_others_are_told_apart(page: Page, tiny: str) -> None:
    open_models(page, tiny)
    expect(page.locator("#models-plan")).to_contain_text("This set is in use.")

    page.get_by_label("Model set").click()
    page.get_by_role("option", name="LTX-2.3 22B fp8", exact=True).click()

    expect(page.locator("#models-plan")).to_contain_text("To fetch: 43.0 GB of 43.0 GB")
    expect(page.locator("#models-plan")).to_contain_text("ltx-studio serve --model-set fp8")
