// The screen and what is below it: the tab's title, what is read out, folds, the menu, the keyboard's focus, play.
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

  // ---- what is read out: a message every two seconds at most

  const SILENCE = 2000;
  const announcer = document.createElement("p");
  announcer.className = "unseen";
  announcer.id = "announcer";
  announcer.setAttribute("role", "status");
  let wanted = null;
  let last = -SILENCE;
  let timer = 0;

  function announce() {
    const lines = [...document.querySelectorAll("#run [data-say], #going [data-say]")];
    const text = lines.map((line) => line.dataset.say).join(". ");
    const isFirst = wanted === null;
    if (text === wanted || !lines.length) return;
    wanted = text;
    if (isFirst || timer) return;
    timer = setTimeout(() => {
      timer = 0;
      last = performance.now();
      announcer.textContent = wanted;
    }, Math.max(0, last + SILENCE - performance.now()));
  }

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
  let focused = null;

  document.addEventListener("focusin", ({ target }) => (focused = target.closest("#result, #toast") ? target : null));

  const isLost = () => focused && document.activeElement === document.body && !isShown(focused);
  let seeking = 0;

  function keepFocus() {
    if (isLost()) seeking ||= setTimeout(seekFocus, 100); // when all that the update brings is there
  }

  function seekFocus() {
    seeking = 0;
    if (!isLost()) return;
    const next = NEXT.flatMap((each) => [...document.querySelectorAll(each)]).find(isShown);
    next?.focus({ preventScroll: true });
  }
  document.addEventListener("pointerdown", ({ target }) => (focused = target.closest("#result") ? focused : null));

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

  function begin() {
    document.body.append(announcer);
    const watcher = new MutationObserver(() => {
      const result = byId("result");
      if (!result) return;
      watcher.disconnect();
      new MutationObserver(keepFocus).observe(result, { childList: true, subtree: true });
    });
    watcher.observe(document.body, { childList: true, subtree: true });
  }
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);

  window.ltxScreen = {
    /** The keyboard's focus is lost: it goes to what can be done next. */
    seekFocus: keepFocus,
    /** A piece of HTML below the screen, or the screen itself, was written anew. */
    renew(element) {
      restoreFolds(element);
      if (element.querySelector(".example")) window.ltxExamples.renew();
      tellTitle();
      announce();
      const video = element.querySelector("#clip video");
      if (video) mark(video);
    },
  };
})();
