// The keyboard's focus: when the element that has it goes, it moves to what can be done next. Until that is there, the
// part of the page around it has the focus, so that it is at no time on the body.
(() => {
  if (window.ltxFocus) return;

  const { byId, isShown } = window.ltxDom;

  const NEXT = ["#toast [data-act=undo]", "#take-again", "#stop", "button.generate", "#run [tabindex]"];
  const CAN_HAVE = "button:not(:disabled), input:not(:disabled, [type=file]), textarea:not(:disabled), a[href]";
  const PARTS = "#result, #toast, #forms, #drawer";
  const WITH_OWN = "#panel-history, #panel-queue"; // which look after the focus themselves
  const UPDATE = 100; // ms after which all that an update brings is there
  let focused = null;
  let around = []; // the elements around it, from the inside out
  let isKeyboard = false;
  let parked = null; // the part of the page that has the focus for a moment

  document.addEventListener("focusin", ({ target }) => {
    if (target === parked) return;
    const isOurs = target.closest(PARTS) && !target.closest(WITH_OWN);
    focused = isOurs ? target : null;
    around = [];
    for (let each = target; isOurs && each && each !== document.body; each = each.parentElement) around.push(each);
  });
  document.addEventListener("focusout", ({ target }) => {
    if (target !== parked) return;
    parked.removeAttribute("tabindex");
    parked = null;
  });
  document.addEventListener("keydown", () => (isKeyboard = true), true);
  document.addEventListener("pointerdown", ({ target }) => {
    isKeyboard = false;
    focused = target.closest("#result") ? focused : null;
  });

  const isNowhere = () => [document.body, parked].includes(document.activeElement);
  const isGone = () => !isShown(focused) || focused.disabled;
  const isOfResult = () => around.some((each) => each.matches("#result, #toast"));
  let seeking = 0;

  let looking = 0;

  /** Look at the focus at once if it is lost, else when the page is drawn: whether an element is shown is a costly question. */
  function look() {
    if (document.activeElement === document.body) keep();
    else if (focused) looking ||= requestAnimationFrame(() => ((looking = 0), keep()));
  }

  /** Keep the focus if what has it is gone; a button that was just disabled still has it until the page is drawn. */
  function keep() {
    if (!focused || !(isKeyboard || isOfResult())) return;
    if ((document.activeElement !== focused && !isNowhere()) || !isGone()) return;
    if (!isShown(parked)) park();
    seeking ||= setTimeout(seek, UPDATE);
  }

  function park() {
    const part = around.find((each) => each.matches(PARTS) && isShown(each)) ?? byId("main");
    if (!part) return;
    part.tabIndex = -1;
    parked = part;
    part.focus({ preventScroll: true });
  }

  function seek() {
    seeking = 0;
    if (!focused || !isNowhere()) return;
    const next = isGone() ? (isOfResult() ? doneNext() : nearest()) : focused;
    next?.focus({ preventScroll: true });
  }

  /** What is done next with the result, outside of what goes. */
  function doneNext(going = null) {
    const all = NEXT.flatMap((each) => [...document.querySelectorAll(each)]);
    return all.find((each) => isShown(each) && !each.disabled && !going?.contains(each));
  }

  /** What can have the focus and is nearest to where it was. */
  function nearest() {
    for (const each of around.filter(isShown)) {
      const found = [...each.querySelectorAll(CAN_HAVE)].find(isShown);
      if (found) return found;
    }
    return null;
  }

  function watch() {
    const page = byId("studio");
    if (!page) return false;
    const watcher = new MutationObserver(look);
    watcher.observe(page, { childList: true, subtree: true, attributeFilter: ["disabled", "class", "hidden"] });
    watcher.observe(document.documentElement, { attributeFilter: ["data-tab", "data-panel"] });
    return true;
  }

  function begin() {
    if (watch()) return;
    const waiter = new MutationObserver(() => watch() && waiter.disconnect());
    waiter.observe(document.body, { childList: true, subtree: true });
  }
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);

  window.ltxFocus = {
    /** Nothing that can be used has the focus. */
    isNowhere,
    /** Have what has the focus lose it, such as a field whose number counts when it is left. */
    park,
    /** An element goes: its focus moves to what can be done next. */
    leave(element) {
      if (element.contains(document.activeElement)) doneNext(element)?.focus({ preventScroll: true });
    },
  };
})();
