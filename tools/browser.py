"""The browser and its flags for the tests and the screenshots. Run as a script: exit 0 if there is one."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is Chromium without a window: opening the page takes a third less CPU time with it (1.6 s, not 2.3)."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # without these it contacts hosts of its maker at every start
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # pages of its own address bar, a fifth of what a new window costs; then what Playwright switches off, which the
    # last such flag replaces
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,"
    "HttpsUpgrades,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,PaintHolding,ThirdPartyStoragePartitioning",
]


def find() -> str | None:
    """Return the path of the browser: $CHROMIUM, or the first of the usual names that is there."""
    return next((path for name in (os.environ.get("CHROMIUM"), *NAMES) if name and (path := shutil.which(name))), None)


@contextmanager
def start() -> "Iterator[Browser]":
    """Start a browser and yield it. A thread has at most one Playwright: a test uses pytest-playwright's `browser`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


if __name__ == "__main__":
    sys.exit(find() is None)
