// Keeps the keyboard focus. When the focused element disappears, the focus moves to the next useful control; until that
// exists, the surrounding part of the page has it, so it never falls to the body.
(() => {
  if (window.ltxFocus) return;

  const { byId } = window.ltxDom;

  const NEXT = ["#toast [data-act=undo]", "#take-again", "#stop", "button.generate", "#run [tabindex]"];
  const CAN_HAVE = "button:not(:disabled), input:not(:disabled, [type=file]), textarea:not(:disabled), a[href]";
  const PARTS = "#result, #toast, #forms, #drawer";
  const WITH_OWN = "#panel-history, #panel-queue"; // which manage the focus themselves
  const UPDATE = 100; // ms to wait until an update is complete
  let focused = null;
  let around = []; // the elements around it, from the inside out
  let isKeyboard = false;
  let parked = null; // the part of the page that holds the focus meanwhile

  document.addEventListener("focusin", ({ target }) => {
    if (target === parked) return;
    const isOurs = target.closest(PARTS) && !target.closest(WITH_OWN);
    focused = isOurs ? target : null;
    around = [];
    for (let each = target; isOurs && each && each !== document.body; each = each.parentElement) around.push(each);
  });
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (target === parked) unpark();
    else if (target === focused && !relatedTarget) queueMicrotask(look);
  });
  document.addEventListener("keydown", () => (isKeyboard = true), true);
  document.addEventListener("pointerdown", ({ target }) => {
    isKeyboard = false;
    focused = target.closest("#result") ? focused : null;
  });

  const isUsable = (each) => Boolean(each?.checkVisibility({ visibilityProperty: true })) && !each.closest("[inert]");
  const isNowhere = () => [document.body, parked].includes(document.activeElement);
  const isGone = () => !isUsable(focused) || focused.disabled;
  const isOfResult = () => around.some((each) => each.matches("#result, #toast"));
  let seeking = 0;
  let looking = 0;

  /** Check at once if the focus is lost, otherwise before the next paint: whether an element is visible is costly. */
  function look() {
    if (document.activeElement === document.body) keep();
    else if (focused) looking ||= requestAnimationFrame(() => ((looking = 0), keep()));
  }

  /** Hold the focus if its element is gone. A button that was just disabled still has it until the next paint. */
  function keep() {
    if (!focused || !(isKeyboard || isOfResult())) return;
    if ((document.activeElement !== focused && !isNowhere()) || !isGone()) return;
    if (document.activeElement !== parked || !isUsable(parked)) park();
    seeking ||= setTimeout(seek, UPDATE);
  }

  function park() {
    const part = [...around.filter((each) => each.matches(PARTS)), byId("main")].find(isUsable);
    unpark();
    if (!part) return;
    part.tabIndex = -1;
    parked = part;
    part.focus({ preventScroll: true });
    if (document.activeElement !== part) unpark();
  }

  function unpark() {
    parked?.removeAttribute("tabindex");
    parked = null;
  }

  function seek() {
    seeking = 0;
    if (!focused || !isNowhere()) return;
    const next = isGone() ? (isOfResult() ? doneNext() : nearest()) : focused;
    next?.focus({ preventScroll: true });
  }

  /** The next useful control for the result, outside the element that is being removed. */
  function doneNext(going = null) {
    const all = NEXT.flatMap((each) => [...document.querySelectorAll(each)]);
    return all.find((each) => isUsable(each) && !each.disabled && !going?.contains(each));
  }

  /** The control nearest to where the focus was. */
  function nearest() {
    for (const each of around.filter(isUsable)) {
      const found = [...each.querySelectorAll(CAN_HAVE)].find(isUsable);
      if (found) return found;
    }
    return null;
  }

  function begin() {
    const watcher = new MutationObserver(look);
    watcher.observe(document.body, { childList: true, subtree: true, attributeFilter: ["disabled", "class", "hidden"] });
    watcher.observe(document.documentElement, { attributeFilter: ["data-tab", "data-panel"] });
  }
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);

  window.ltxFocus = {
    /** Nothing usable has the focus. */
    isNowhere,
    /** Take the focus off the current element, for example to commit a number field. */
    park,
    /** An element is about to be removed: move its focus on. */
    leave(element) {
      if (element.contains(document.activeElement)) doneNext(element)?.focus({ preventScroll: true });
    },
  };
})();
