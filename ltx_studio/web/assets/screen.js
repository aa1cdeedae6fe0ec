// The screen and what is below it: the tab's title, folds, the menu, the keyboard's focus, play.
(() => {
  if (window.ltxScreen) return;

  const { byId, isShown } = window.ltxDom;

  // ---- the tab's title: how far the run is; when it is over, a sign until somebody has seen it

  let title = "";
  let seen = "";

  function tellTitle() {
    title ||= document.title;
    const line = document.querySelector("#going [data-title]") ?? document.querySelector("#run [data-title]");
    if (!line) return;
    const isOver = "over" in line.dataset;
    window.ltxSound.told(isOver ? (line.dataset.title ? "done" : "over") : "going");
    if (isOver && document.hasFocus()) seen = line.textContent;
    const sign = isOver && seen === line.textContent ? "" : line.dataset.title;
    const text = sign ? `${sign} · ${title}` : title;
    if (document.title !== text) document.title = text;
  }
  window.addEventListener("focus", tellTitle);

  // ---- folds stay as they were left, although each update writes them anew

  const folds = new Map();

  document.addEventListener("click", (event) => {
    const fold = event.target.closest?.("#result summary")?.parentElement;
    if (fold?.dataset.fold) setTimeout(() => folds.set(fold.dataset.fold, fold.open));
  });

  function restoreFolds(element) {
    for (const fold of element.querySelectorAll("details[data-fold]")) fold.open = folds.get(fold.dataset.fold) ?? false;
  }

  // ---- the menu of further actions

  function toggleMenu(isOpen) {
    const [menu, button] = [byId("take-menu"), byId("take-more")];
    if (!menu || !button) return;
    menu.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#take-more")) toggleMenu(byId("take-menu")?.hidden);
  });
  window.addEventListener(
    "keydown",
    (event) => {
      const menu = byId("take-menu");
      if (event.key !== "Escape" || !menu || menu.hidden || !event.target.closest?.("#take")) return;
      event.preventDefault(); // else it stops the run
      toggleMenu(false);
      byId("take-more").focus();
    },
    true,
  );

  // ---- the keyboard's focus does not get lost with the button that had it

  const NEXT = ["#toast [data-act=undo]", "#take-again", "#stop", "button.generate", "#run [tabindex]"];
  const CAN_HAVE = "button:not(:disabled), input:not(:disabled, [type=file]), textarea:not(:disabled), a[href]";
  const WITH_OWN = "#panel-history, #panel-queue"; // which look after the focus themselves
  let focused = null;
  let around = []; // the elements around it, from the inside out
  let isKeyboard = false;

  document.addEventListener("focusin", ({ target }) => {
    const isOurs = target.closest("#result, #toast, #forms, #drawer") && !target.closest(WITH_OWN);
    focused = isOurs ? target : null;
    around = [];
    for (let each = target; isOurs && each && each !== document.body; each = each.parentElement) around.push(each);
  });
  document.addEventListener("keydown", () => (isKeyboard = true), true);

  const isGone = () => !isShown(focused) || focused.disabled;
  const isLost = () => focused && document.activeElement === document.body && isGone();
  let seeking = 0;

  function keepFocus() {
    if (isLost()) seeking ||= setTimeout(seekFocus, 100); // when all that the update brings is there
  }

  function seekFocus() {
    seeking = 0;
    if (!isLost()) return;
    const isOfResult = around.some((each) => each.matches("#result, #toast"));
    const next = isOfResult ? doneNext() : isKeyboard && nearest();
    if (next) next.focus({ preventScroll: true });
  }

  /** What is done next with the result, outside of what goes. */
  function doneNext(going = null) {
    const all = NEXT.flatMap((each) => [...document.querySelectorAll(each)]);
    return all.find((each) => isShown(each) && !going?.contains(each));
  }

  /** What can have the focus and is nearest to where it was. */
  function nearest() {
    for (const each of around.filter(isShown)) {
      const found = [...each.querySelectorAll(CAN_HAVE)].find(isShown);
      if (found) return found;
    }
    return null;
  }
  document.addEventListener("pointerdown", ({ target }) => {
    isKeyboard = false;
    focused = target.closest("#result") ? focused : null;
  });

  // ---- a clip that does not play has a button that plays it

  function mark(video) {
    video.closest("#clip")?.classList.toggle("paused", video.paused && video.readyState > 1);
  }

  for (const act of ["play", "pause", "loadeddata", "emptied"]) {
    document.addEventListener(
      act,
      ({ target }) => target.matches?.("#clip video") && setTimeout(() => mark(target), 50),
      true,
    );
  }
  document.addEventListener("click", (event) => event.target.closest?.("#clip .play")?.previousElementSibling.play());

  // ---- the history marks the clip that is shown

  let shown = "";

  function tellShown() {
    const take = byId("recipe")?.dataset.take ?? "";
    if (take === shown) return;
    shown = take;
    document.dispatchEvent(new CustomEvent("ltx-shown", { detail: take }));
  }

  function begin() {
    const watcher = new MutationObserver(() => {
      const page = byId("studio");
      if (!page) return;
      watcher.disconnect();
      const how = { childList: true, subtree: true, attributeFilter: ["disabled", "class", "hidden"] };
      new MutationObserver(keepFocus).observe(page, how);
    });
    watcher.observe(document.body, { childList: true, subtree: true });
  }
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);

  window.ltxScreen = {
    /** The take that is shown; empty if none is. */
    shown: () => shown,
    /** The keyboard's focus is lost: it goes to what can be done next. */
    seekFocus: keepFocus,
    /** An element goes: its focus moves to what can be done next. */
    leave(element) {
      if (element.contains(document.activeElement)) doneNext(element)?.focus({ preventScroll: true });
    },
    /** A piece of HTML below the screen, or the screen itself, was written anew. */
    renew(element) {
      restoreFolds(element);
      if (element.querySelector(".example")) window.ltxExamples.renew();
      tellTitle();
      tellShown();
      const video = element.querySelector("#clip video");
      if (video) mark(video);
    },
  };
})();
