"""Records elements that lose the keyboard focus to the body because they disappeared or were disabled."""

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
    """Return a list that fills with the elements that lost the focus this way after a key press."""
    fallen: list[str] = []
    context.expose_binding("fellFrom", lambda _, element: fallen.append(element))
    context.add_init_script(FALLEN)
    return fallen
