"""One browser page for the tests of a process.

To open the studio in a page that exists takes 1.05 s of processor time, and in a new one 1.45: the browser has
compiled its scripts already.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize
from playwright.sync_api import Error as BrowserError

from tests.web.focus_watch import watch_focus

SIZE: ViewportSize = {"width": 1280, "height": 720}
STORED = "cookies,local_storage,indexeddb,cache_storage,service_workers"
LASTS = ("add_init_script", "expose_function", "expose_binding", "route")
"""What changes a page until it is disposed of."""


class KeptPage:
    """Lends one page after another; each time it is as new: empty, without listeners, cookies or kept values.

    Args:
        browser: The browser of the process.

    Attributes:
        fallen: Elements that lost the keyboard focus to the body since the page was lent.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._page: Page | None = None
        self._changes: list[Any] = []
        self._origins = set[str]()
        self._listeners: list[tuple[str, Callable[..., Any]]] = []
        self.fallen: list[str] = []

    def lend(self) -> Page:
        """Return an empty page."""
        if self._page is None:
            self._page = self._open()
        self.fallen.clear()
        return self._page

    def take_back(self, *, is_broken: bool) -> None:
        """Empty the page; drop it if it `is_broken`, or has been at two servers, each of which may keep something."""
        if self._page is None:
            return
        try:
            if not is_broken and len(self._origins) <= 1:
                self._empty(self._page)
                return
        except BrowserError:
            pass
        self.drop()

    def drop(self) -> None:
        """Close the page; the next one is new."""
        if self._page is not None:
            with suppress(BrowserError):
                self._page.context.close()
        self._page = None
        self._changes.clear()
        self._origins.clear()
        self._listeners.clear()

    def _open(self) -> Page:
        context = self._browser.new_context(viewport=SIZE)
        self.fallen = watch_focus(context)
        page = context.new_page()
        for name in LASTS:
            setattr(page, name, self._noting(getattr(page, name)))
        go, listen = page.goto, page.on

        def visit(url: str, **options: Any) -> Any:
            self._origins.update(["/".join(url.split("/")[:3])] if url.startswith("http") else [])
            return go(url, **options)

        def note(event: Any, listener: Callable[..., Any]) -> None:
            self._listeners.append((event, listener))
            listen(event, listener)

        setattr(page, "goto", visit)  # noqa: B010
        setattr(page, "on", note)  # noqa: B010
        return page

    def _noting(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def note(*asked: Any, **options: Any) -> Any:
            self._changes.append(change(*asked, **options))
            return self._changes[-1]

        return note

    def _empty(self, page: Page) -> None:
        for other in page.context.pages:
            if other is not page:
                other.close()
        if self._origins:
            page.evaluate("sessionStorage.clear()")
        for change in self._changes:
            change.close()
        self._changes.clear()
        page.goto("about:blank")
        for event, listener in self._listeners:
            page.remove_listener(event, listener)
        self._listeners.clear()
        devtools = page.context.new_cdp_session(page)  # the page that was left may have kept something on its way out
        for origin in self._origins:
            devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": STORED})
        devtools.detach()
        self._origins.clear()
        page.context.clear_cookies()
        page.emulate_media(media="null", color_scheme="null", reduced_motion="null", forced_colors="null")
        page.set_viewport_size(SIZE)
        page.mouse.move(0, 0)
