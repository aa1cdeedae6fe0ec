// The screen and what is below it: the tab's title, folds, the menu, play.
(() => {
  if (window.ltxScreen) return;

  const { byId } = window.ltxDom;

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

  window.ltxScreen = {
    /** The take that is shown; empty if none is. */
    shown: () => shown,
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
