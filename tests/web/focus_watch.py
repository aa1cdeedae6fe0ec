"""What the keyboard's focus fell to the body from, for however short, because it was gone or could not have it."""

from playwright.sync_api import BrowserContext

FALLEN = """
(() => {
    let held = null, isByKey = false;
    document.addEventListener("keydown", () => (isByKey = true), true);
    document.addEventListener("pointerdown", () => (isByKey = false), true);
    document.addEventListener("focusin", ({ target }) => (held = target));
    const canHave = (each) => each.isConnected && each.checkVisibility() && !each.disabled && !each.closest("[inert]");
    setInterval(() => {
        if (document.activeElement !== document.body || !held) return;
        if (isByKey && !canHave(held)) window.fellFrom(held.outerHTML.slice(0, 200));
        held = null;
    }, 10);
})();
"""


def watch_focus(context: BrowserContext) -> list[str]:
    """Return the elements that the focus falls from in this context's pages, as it happens, after a key was pressed."""
    fallen: list[str] = []
    context.expose_binding("fellFrom", lambda _, element: fallen.append(element))
    context.add_init_script(FALLEN)
    return fallen
