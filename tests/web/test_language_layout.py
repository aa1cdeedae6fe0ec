"""In the pseudo-language the page holds, and shows no English; in a browser."""

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Page, expect

from ltx_studio.engine import Engine
from ltx_studio.settings import Settings
from ltx_studio.web.rail import PANELS
from tests import pseudo_language
from tests.pseudo_language import spoken
from tests.web.conftest import open_page
from tests.web.driver import step, unfold
from tests.web.untranslated import plain

WIDTHS = (360, 768, 1440)
TEXTS = """() => {
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const skipped = "script, style, code, kbd, pre, q, svg, textarea, .prompt, [data-testid=upload-text], .file .wrap";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (shown(parent) && !parent.closest(skipped)) found.push(walker.currentNode.data.trim());
  }
  const names = [...document.querySelectorAll("[aria-label]")].filter((each) => shown(each) && !each.closest(skipped));
  return [...found, ...names.map((each) => each.getAttribute("aria-label"))].filter(Boolean);
}"""
"""Returns the texts that are shown, and what controls are called; not what a visitor wrote."""
LAYOUT = """() => {
  const isSeen = (each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const isShown = (each) => isSeen(each) && each.clientWidth > 1;
  const said = (each) => each.textContent.trim().slice(0, 40) || each.id || each.className;
  const all = (selector) => [...document.querySelectorAll(selector)].filter(isShown);
  const isCut = (each) => ["hidden", "clip"].includes(getComputedStyle(each).overflowX);
  const ink = (each) => {
    const text = document.createRange();
    text.selectNodeContents(each);
    return text;
  };
  const wrong = [];
  for (const each of all("button:not(.label-wrap), .buttons label, #mode label, h1, h2, [data-testid=block-info]")) {
    const box = each.getBoundingClientRect();
    const lines = [...ink(each).getClientRects()];
    const isOut = lines.some((line) => line.left < box.left - 1 || line.right > box.right + 1);
    if (isOut && !isCut(each)) wrong.push(`wider than its button: ${said(each)}`);
    if (isCut(each) && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).textOverflow !== "ellipsis")
      wrong.push(`cut off: ${said(each)}`);
    if (box.right > document.documentElement.clientWidth + 1) wrong.push(`outside of the page: ${said(each)}`);
  }
  for (const place of ["#forms", "#top", "#rail"]) {
    const boxes = all(`${place} :is(button, textarea, .buttons label, h1, [data-testid=block-info])`)
      .filter((each) => !each.closest(".dock, .help, dialog"))
      .map((each) => [each, (each.matches("h1, [data-testid]") ? ink(each) : each).getBoundingClientRect()]);
    boxes.forEach(([each, box], index) => {
      for (const [other, next] of boxes.slice(index + 1)) {
        const wide = Math.min(box.right, next.right) - Math.max(box.left, next.left);
        const high = Math.min(box.bottom, next.bottom) - Math.max(box.top, next.top);
        if (wide > 2 && high > 2 && !each.contains(other) && !other.contains(each))
          wrong.push(`${said(each)} covers ${said(other)}`);
      }
    });
  }
  const more = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return more > 0 ? [...wrong, `${more} pixels wider than the window`] : wrong;
}"""
"""Returns what does not fit."""


def test_the_page_holds_longer_words_and_shows_none_in_english(page: Page, home: Settings, tmp_path: Path) -> None:
    settings = replace(home, language=pseudo_language.CODE)
    with spoken(tmp_path), contextmanager(open_page)(settings, Engine(home)) as url:
        left: dict[str, list[str]] = {}
        for width in WIDTHS:
            with step(f"at {width}"):
                page.set_viewport_size({"width": width, "height": 800})
                page.goto(url)
                expect(page.locator("#t2v-told .made")).to_be_visible()
                for panel in PANELS if width == WIDTHS[-1] else ["", "models"]:
                    if panel:
                        unfold(page, panel)
                        page.wait_for_timeout(400)
                    texts = [each for each in map(plain, page.evaluate(TEXTS)) if each]
                    left[f"{width} {panel}"] = [*texts, *page.evaluate(LAYOUT)]
        wrong = {name: each for name, each in left.items() if each}
        assert wrong == {}, json.dumps(wrong, indent=1, ensure_ascii=False)
