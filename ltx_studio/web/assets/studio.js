// What the page does by itself: its panels and tabs.
(() => {
  if (window.ltxStudio) return;

  const PINNED = window.matchMedia("(min-width: 1024px)");
  const { byId, isShown } = window.ltxDom;
  const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");

  // ---- the rail and its panels: pinned where there is room, else they slide over the page, or are a tab of it

  const PHONE = window.matchMedia("(max-width: 639px)");
  const KEPT = "ltx-studio.panel";
  const root = document.documentElement;
  const PANELS = ["history", "queue", "models", "batch", "workflow", "settings"];
  let isOpen = false; // over the page
  let told = ""; // the panel that the others know of
  let isGoing = false; // a run of this tab
  let askedAt = -Infinity; // for a clip

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
    set(drawer, "role", PHONE.matches && now ? "main" : "complementary"); // on a phone it is all there is
    set(drawer, "aria-label", byId("rail").getAttribute("aria-label"));
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
    holdFocus(name ? byId(`rail-${name}`) : null);
  }

  /** What is out of reach or out of sight now does not keep the focus, and it does not fall to the body. */
  function holdFocus(next) {
    const held = document.activeElement;
    const isHeld = !window.ltxFocus.isNowhere() && isShown(held) && !held.closest("[inert]");
    if (!isHeld) (next ?? byId(PHONE.matches ? `tab-${root.dataset.tab}` : `rail-${root.dataset.panel}`))?.focus();
  }

  /** Close what lies over the page, or go from the library to the page; what is pinned stays. */
  function uncover(tab) {
    const wasSeen = panel();
    isOpen = false;
    if (tab) root.dataset.tab = tab;
    lay();
    if (wasSeen !== panel()) holdFocus();
  }

  function toTab(tab) {
    if (tab === "watch") sign(isGoing ? "going" : "");
    if (tab === "library" && !root.dataset.panel) root.dataset.panel = PANELS[0];
    root.dataset.tab = tab;
    lay();
    window.scrollTo({ top: 0 });
  }

  /** Where the run lies below the form, go there; on a phone its tab opens as soon as it has begun. */
  function showRun() {
    askedAt = Date.now();
    if (PHONE.matches) return;
    const result = byId("result");
    const isBelow = result?.getBoundingClientRect().top >= byId("forms")?.getBoundingClientRect().bottom;
    if (isBelow) result.scrollIntoView({ block: "start" });
  }

  /** Open what deletes old clips. */
  function toRoom() {
    show("history");
    const fold = byId("make-room");
    const opener = fold?.querySelector("button");
    if (!opener?.classList.contains("open")) opener?.click();
    setTimeout(() => {
      opener?.focus();
      fold?.scrollIntoView({ block: "nearest" });
    }, 400); // the drawer slides in
  }

  /** On a phone's tab: that a clip is being made, or that there is a new one. */
  function sign(state) {
    const button = byId("tab-watch");
    if (!button || (button.dataset.state ?? "") === state) return;
    button.dataset.state = state;
    const says = button.dataset[`says${state}`];
    if (says) button.setAttribute("aria-label", says);
    else button.removeAttribute("aria-label");
    button.querySelector(".badge").hidden = !state;
  }

  /** Follow whether a run goes on: on a phone Generate becomes Stop, in the same place. */
  function followRun() {
    const stop = byId("stop");
    const now = Boolean(stop) && !stop.closest(".hidden, .hide"); // Gradio's words; that its tab is not open says nothing
    if (now === isGoing) return;
    isGoing = now;
    if (!now) document.dispatchEvent(new CustomEvent("ltx-idle"));
    root.toggleAttribute("data-going", now);
    const isWatched = root.dataset.tab === "watch";
    sign(now ? "going" : isWatched ? "" : "done");
    if (now && PHONE.matches && Date.now() - askedAt < LONGEST_START) {
      toTab("watch");
      holdFocus(stop);
    }
    stopText = stop?.textContent.trim() || stopText;
    for (const each of document.querySelectorAll(".stop-here")) {
      each.disabled = false;
      each.textContent = stopText;
    }
  }

  const LONGEST_START = 15_000;
  let stopText = "";

  /** The button that takes the place of Generate. */
  function stopButton(dock) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "stop-here";
    button.textContent = stopText; // another mode's form is built while a clip is made
    let shownAt = 0;
    new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && (shownAt = Date.now())).observe(button);
    button.addEventListener("click", () => {
      if (Date.now() - shownAt < 500) return; // the second tap on Generate
      button.disabled = true;
      setTimeout(() => (button.disabled = false), 3000); // if it still runs, one may try again
      byId("stop")?.click();
    });
    dock.append(button);
  }

  const scrim = document.createElement("div");
  scrim.id = "studio-scrim";
  scrim.hidden = true;
  scrim.addEventListener("click", () => byId("drawer-close")?.click());

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
    else if (button.dataset.act === "models") show("models");
    else if (button.dataset.act === "room") toRoom();
    else if (button.dataset.act === "reload") window.location.reload();
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
      if (watched.has(each)) continue;
      watched.add(each);
      sizes.observe(each);
      stopButton(each);
    }
  }

  // ---- what Gradio calls

  window.ltxStudio = {
    /** The panel that is seen; empty if none is. */
    panel,
    /** Open a panel; an empty name closes the one that is open. */
    show,
    /** Whether a run of this tab goes on. */
    isGoing: () => isGoing,
    /** Close the panel that lies over the page; return whether there was one. */
    closeOver() {
      const isOver = isOpen && !PINNED.matches && !PHONE.matches;
      if (isOver) byId("drawer-close")?.click();
      return isOver;
    },
    /** A take was chosen in the drawer: show it. */
    toResult() {
      uncover("watch");
      if (isShown(byId("take"))) byId("result")?.scrollIntoView({ block: "nearest" });
      return [];
    },
    /** Something was told above the run: show it. */
    toTold() {
      uncover(root.dataset.tab === "library" ? "make" : ""); // the other tabs show it
      setTimeout(() => byId("told")?.scrollIntoView({ block: "nearest" }), 100);
      return [];
    },
    /** Scroll to why nothing was submitted, if Generate has just been pressed. A phone's tab shows it anyway. */
    toRefusal() {
      if (PHONE.matches || Date.now() - askedAt > LONGEST_START) return;
      setTimeout(() => byId("told")?.scrollIntoView({ block: "nearest" }), 50);
    },
    /** Open what fetches model files. */
    toModels() {
      show("models");
      return [];
    },
    /** Put the cursor to the end of a mode's prompt when the form has been filled in. */
    toPrompt(mode) {
      uncover("make");
      setTimeout(() => {
        const prompt = byId(`${mode}-prompt`)?.querySelector("textarea");
        prompt?.focus();
        prompt?.setSelectionRange(prompt.value.length, prompt.value.length); // selected, the next key would delete it
      }, 400);
      return [];
    },
  };

  const begin = () => {
    document.body.append(scrim);
    new MutationObserver(() => {
      lay();
      watchDocks();
      followRun();
    }).observe(document.body, { childList: true, subtree: true });
    lay();
  };
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})();
