// What the page does by itself: the drawer, the keyboard, and a video dropped anywhere.
(() => {
  if (window.ltxStudio) return;

  const PINNED = window.matchMedia("(min-width: 1024px)");
  const byId = (id) => document.getElementById(id);
  const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");
  const isShown = (element) => Boolean(element && element.offsetParent !== null);

  // ---- the drawer: pinned where there is room, else it slides over the page

  let isOpen = false;

  function lay() {
    const drawer = byId("drawer");
    const toggle = byId("drawer-toggle");
    if (!drawer || !toggle) return;
    const isOver = isOpen && !PINNED.matches;
    drawer.classList.toggle("open", isOver);
    drawer.inert = !PINNED.matches && !isOpen;
    const main = byId("main");
    if (main) main.inert = isOver; // what lies behind the scrim
    toggle.setAttribute("aria-expanded", String(isOver));
    scrim.hidden = !isOver;
  }

  function slide(open) {
    isOpen = open;
    lay();
    if (PINNED.matches) return;
    if (open) byId("drawer").querySelector("button, input, textarea, [tabindex='0']")?.focus();
    else byId("drawer-toggle")?.focus();
  }

  /** Where the run lies below the form, as on a phone, go there. */
  function showRun() {
    const result = byId("result");
    const isBelow = result?.getBoundingClientRect().top >= byId("forms")?.getBoundingClientRect().bottom;
    if (isBelow) result.scrollIntoView({ block: "start" });
  }

  const scrim = document.createElement("div");
  scrim.id = "studio-scrim";
  scrim.hidden = true;
  scrim.addEventListener("click", () => slide(false));

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#drawer-toggle")) slide(!isOpen);
    else if (event.target.closest?.("#drawer-close")) slide(false);
    else if (event.target.closest?.("button.generate")) showRun();
  });
  PINNED.addEventListener("change", lay);

  /** The second click of a double one hands nothing in: it would be another clip. */
  document.addEventListener(
    "click",
    (event) => {
      if (event.detail < 2 || !event.target.closest?.("button.generate, #run-workflow")) return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );

  // ---- the keyboard

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.isComposing || document.querySelector("dialog[open]")) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        const isOwn = event.target.closest?.("#own-workflow"); // its form has a button of its own; else the drawer has none
        if (!isOwn && event.target.closest?.("#drawer")) return;
        const button = isOwn ? byId("run-workflow") : [...document.querySelectorAll("button.generate")].find(isShown);
        if (button && !button.disabled) {
          const held = document.activeElement;
          event.preventDefault();
          event.stopPropagation(); // Gradio's text fields submit on it
          held?.blur?.(); // a number that is being written counts when its field is left
          setTimeout(() => {
            button.click();
            if (document.activeElement === document.body) held?.focus?.({ preventScroll: true });
          }, 50);
        }
      } else if (event.key === "Escape" && !event.defaultPrevented) {
        const stop = byId("stop");
        if (isOpen && !PINNED.matches) slide(false);
        else if (document.querySelector("[role=combobox][aria-expanded=true]")) return; // it closes an open list
        else if (isShown(stop) && !stop.disabled) stop.click();
      }
    },
    true,
  );

  /** Arrows choose among radio buttons, which for the browser are none of one group: Gradio names each differently. */
  document.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey || !event.target.matches?.("fieldset [type=radio]")) return;
    const all = [...event.target.closest("fieldset").querySelectorAll("[type=radio]:not(:disabled)")];
    const next = all.at((all.indexOf(event.target) + step) % all.length);
    event.preventDefault();
    next?.focus();
    next?.click();
  });

  // ---- a video that was made here, dropped anywhere but on a field that takes files itself

  const target = document.createElement("div");
  target.id = "studio-drop";
  target.hidden = true;
  let leaving = 0;

  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault(); // else the browser leaves the page for the file
    if (!carriesFiles(event) || window.ltxFiles.fieldAt(event.target)) {
      target.hidden = true;
      return;
    }
    target.textContent = byId("restore-help")?.textContent.trim() ?? "";
    target.hidden = false;
    clearTimeout(leaving);
    leaving = setTimeout(() => (target.hidden = true), 300);
  });
  document.addEventListener("drop", (event) => {
    target.hidden = true;
    if (carriesFiles(event)) event.preventDefault();
    if (!carriesFiles(event) || window.ltxFiles.fieldAt(event.target)) return;
    const input = byId("restore-file")?.querySelector("input[type=file]");
    const files = [...event.dataTransfer.files];
    const file = files.find(({ name }) => /\.(mp4|webm|mov|mkv)$/i.test(name)) ?? files[0]; // which is refused in words
    if (!input || !file) return;
    const chosen = new DataTransfer();
    chosen.items.add(file);
    input.files = chosen.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // ---- who wants nothing to move starts the clip

  let touched = -Infinity;
  for (const act of ["pointerdown", "keydown"]) {
    document.addEventListener(act, (event) => (touched = event.target.closest?.("#clip") ? Date.now() : touched), true);
  }
  document.addEventListener(
    "play",
    (event) => {
      const isAsked = Date.now() - touched < 1000;
      if (STILL.matches && !isAsked && event.target.closest?.("#clip")) event.target.pause();
    },
    true,
  );

  // ---- what is told with Generate stays in sight, as long as it is not long

  const MOST_OF_WINDOW = 1 / 3;
  const docks = document.getElementsByClassName("dock");
  const watched = new WeakSet();

  function dock() {
    const shown = [...docks].find(isShown);
    if (!shown) return;
    const isTall = shown.offsetHeight > innerHeight * MOST_OF_WINDOW;
    shown.classList.toggle("tall", isTall);
    document.documentElement.style.setProperty("--dock", isTall ? "0px" : `${shown.offsetHeight}px`);
  }

  const sizes = new ResizeObserver(dock);
  window.addEventListener("resize", dock);

  function watchDocks() {
    for (const each of docks) {
      if (!watched.has(each)) sizes.observe(each);
      watched.add(each);
    }
  }

  // ---- what Gradio calls

  window.ltxStudio = {
    /** A take was chosen in the drawer: show it. */
    toResult() {
      if (!PINNED.matches) slide(false);
      if (isShown(byId("take"))) byId("result")?.scrollIntoView({ block: "nearest" });
      return [];
    },
    /** Something was told above the run: show it. */
    toTold() {
      if (!PINNED.matches) slide(false);
      setTimeout(() => byId("told")?.scrollIntoView({ block: "nearest" }), 100);
      return [];
    },
    /** Open what fetches model files. */
    toModels() {
      if (!PINNED.matches) slide(true);
      const panel = byId("models");
      if (panel && !isShown(byId("models-get"))) panel.querySelector("button")?.click();
      panel?.scrollIntoView({ block: "start" });
      return [];
    },
    /** Put the cursor at the end of a mode's prompt when the form has been filled in. */
    toPrompt(mode) {
      setTimeout(() => {
        const prompt = byId(`${mode}-prompt`)?.querySelector("textarea");
        prompt?.focus();
        prompt?.setSelectionRange(prompt.value.length, prompt.value.length);
      }, 400);
      return [];
    },
  };

  const begin = () => {
    document.body.append(scrim, target);
    new MutationObserver(() => {
      if (byId("drawer") && byId("drawer-toggle")) lay();
      watchDocks();
    }).observe(document.body, { childList: true, subtree: true });
    lay();
  };
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})();
