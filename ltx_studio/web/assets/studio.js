// What the page does by itself: the drawer, the keyboard, and a video dropped anywhere.
(() => {
  if (window.ltxStudio) return;

  const PINNED = window.matchMedia("(min-width: 1024px)");
  const byId = (id) => document.getElementById(id);
  const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");
  const isShown = (element) => Boolean(element && element.offsetParent !== null);

  // ---- the rail and its panels: pinned where there is room, else they slide over the page, or are a tab of it

  const PHONE = window.matchMedia("(max-width: 639px)");
  const KEPT = "ltx-studio.panel";
  const root = document.documentElement;
  const PANELS = ["history", "queue", "models", "batch", "workflow", "settings"];
  let isOpen = false; // over the page
  let told = ""; // the panel that the others know of

  function kept() {
    try {
      const name = localStorage.getItem(KEPT);
      return name === "" || PANELS.includes(name) ? name : PANELS[0];
    } catch {
      return PANELS[0];
    }
  }

  // before there is a page, so that nothing moves when it comes
  root.dataset.panel = kept();
  root.dataset.tab = "make";

  /** The panel that is seen; empty if none is. */
  function panel() {
    const isSeen = PHONE.matches ? root.dataset.tab === "library" : PINNED.matches || isOpen;
    return isSeen ? root.dataset.panel : "";
  }

  const set = (element, name, value) => element.getAttribute(name) !== value && element.setAttribute(name, value);

  function lay() {
    const [drawer, main, top, tabs] = ["drawer", "main", "top", "tabs"].map(byId);
    if (!drawer || !main || !top || !tabs) return;
    const now = panel();
    const isOver = isOpen && !PINNED.matches && !PHONE.matches;
    drawer.classList.toggle("open", isOver);
    drawer.inert = !now;
    for (const each of [main, top]) each.inert = isOver; // what lies behind the scrim
    scrim.hidden = !isOver;
    set(top, "role", "banner");
    set(main, "role", "main");
    set(drawer, "role", "complementary");
    set(drawer, "aria-label", byId("rail").getAttribute("aria-label"));
    const around = main.closest("main");
    if (around) set(around, "role", "presentation"); // Gradio's, around the header, too
    for (const button of document.querySelectorAll("#rail button")) {
      const isOf = button.dataset.panel === now;
      set(button, "aria-expanded", String(isOf));
      if (isOf) set(button, "aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    for (const button of tabs.querySelectorAll("button")) {
      if (button.dataset.tab === root.dataset.tab) set(button, "aria-current", "page");
      else button.removeAttribute("aria-current");
    }
    if (now === told) return;
    told = now;
    document.dispatchEvent(new CustomEvent("ltx-panel", { detail: now }));
  }

  /** Show a panel; an empty name closes the one that is open. */
  function show(name) {
    if (PINNED.matches) {
      root.dataset.panel = name;
      try {
        localStorage.setItem(KEPT, name);
      } catch {
        // a browser that keeps nothing
      }
    } else {
      if (name) root.dataset.panel = name;
      if (PHONE.matches) root.dataset.tab = name ? "library" : "make";
      else isOpen = Boolean(name);
    }
    lay();
  }

  /** Close what lies over the page, or go from the library to the page; what is pinned stays. */
  function uncover(tab) {
    isOpen = false;
    if (tab) root.dataset.tab = tab;
    lay();
  }

  function toTab(tab) {
    if (tab === "library" && !root.dataset.panel) root.dataset.panel = PANELS[0];
    root.dataset.tab = tab;
    lay();
    window.scrollTo({ top: 0 });
  }

  /** Where the run lies below the form, go there; on a phone, to its tab. */
  function showRun() {
    if (PHONE.matches) return toTab("watch");
    const result = byId("result");
    const isBelow = result?.getBoundingClientRect().top >= byId("forms")?.getBoundingClientRect().bottom;
    if (isBelow) result.scrollIntoView({ block: "start" });
  }

  const scrim = document.createElement("div");
  scrim.id = "studio-scrim";
  scrim.hidden = true;
  scrim.addEventListener("click", () => show(""));

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    if (button.closest("#rail")) {
      const { panel: name } = button.dataset;
      show(name === panel() && !PHONE.matches ? "" : name);
    } else if (button.closest("#tabs")) toTab(button.dataset.tab);
    else if (button.id === "drawer-close") {
      const opener = byId(`rail-${panel()}`);
      show("");
      opener?.focus();
    } else if (button.id === "model-chip") show("models");
    else if (button.matches(".generate")) showRun();
  });
  for (const each of [PINNED, PHONE]) each.addEventListener("change", lay);

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
        const isOwn = event.target.closest?.("#panel-workflow"); // its form has a button of its own; else the drawer has none
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
        if (isOpen && !PINNED.matches) byId("drawer-close")?.click();
        else if (event.target.closest?.("[role=combobox][aria-expanded=true]")) return; // it closes an open list
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
    /** The panel that is seen; empty if none is. */
    panel,
    /** Open a panel; an empty name closes the one that is open. */
    show,
    /** A take was chosen in the drawer: show it. */
    toResult() {
      uncover("watch");
      if (isShown(byId("take"))) byId("result")?.scrollIntoView({ block: "nearest" });
      return [];
    },
    /** Something was told above the run: show it. */
    toTold() {
      uncover("watch");
      setTimeout(() => byId("told")?.scrollIntoView({ block: "nearest" }), 100);
      return [];
    },
    /** Open what fetches model files. */
    toModels() {
      show("models");
      return [];
    },
    /** Put the cursor at the end of a mode's prompt when the form has been filled in. */
    toPrompt(mode) {
      uncover("make");
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
      lay();
      watchDocks();
    }).observe(document.body, { childList: true, subtree: true });
    lay();
  };
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})();
