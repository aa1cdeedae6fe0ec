// The keyboard: shortcuts, one Tab stop for each group of radio buttons, and what Gradio leaves unsaid to screen readers.
(() => {
  if (window.ltxKeys) return;
  window.ltxKeys = true;

  const { byId, isShown } = window.ltxDom;
  const radiosOf = (element) => [...element.closest("fieldset").querySelectorAll("[type=radio]:not(:disabled)")];

  function generate(event) {
    const isOwn = event.target.closest?.("#panel-workflow"); // its form has a button of its own; else the drawer has none
    if (!isOwn && event.target.closest?.("#drawer")) return;
    const button = isOwn ? byId("run-workflow") : [...document.querySelectorAll("button.generate")].find(isShown);
    if (!button || button.disabled) return;
    const held = document.activeElement;
    event.preventDefault();
    event.stopPropagation(); // Gradio's text fields submit on it
    if (held !== document.body) window.ltxFocus.park(); // a number field commits its value when it loses focus
    setTimeout(() => {
      button.click();
      if (window.ltxFocus.isNowhere()) held?.focus?.({ preventScroll: true });
    }, 50);
  }

  /** Go to Stop; if the focus is there, stop. A single key would lose minutes of work. */
  function stop() {
    const button = [...document.querySelectorAll("#stop, .stop-here")].find((each) => isShown(each) && !each.disabled);
    if (button && document.activeElement === button) button.click();
    else button?.focus();
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.isComposing) return;
      const isList = event.target.matches?.("[role=combobox]");
      // Gradio's lists take each key for a wish to see them, after they were left, too
      if (isList && ["Tab", "Shift", "Control", "Alt", "Meta"].includes(event.key)) event.stopPropagation();
      if (document.querySelector("dialog[open]")) return;
      const isWritten = event.target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select");
      if (event.key === "?" && !isWritten) byId("help-open")?.click();
      else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) generate(event);
      else if (event.key === "Escape" && !event.defaultPrevented) {
        if (window.ltxStudio.closeOver()) return;
        if (isList && event.target.getAttribute("aria-expanded") === "true") return; // it closes its list
        if (window.ltxStudio.isGoing()) stop();
      }
    },
    true,
  );

  /** Arrows choose among radio buttons, which for the browser are none of one group: Gradio names each differently. */
  document.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey || !event.target.matches?.("fieldset [type=radio]")) return;
    const all = radiosOf(event.target);
    const next = all.at((all.indexOf(event.target) + step) % all.length);
    event.preventDefault();
    next?.focus();
    next?.click();
  });

  // ---- what is on the page, and what screen readers are told of it

  const set = (element, name, value) => element.getAttribute(name) !== value && element.setAttribute(name, value);

  function tell() {
    for (const fold of document.querySelectorAll("button.label-wrap")) {
      set(fold, "aria-expanded", String(fold.classList.contains("open")));
      fold.querySelector(".icon")?.setAttribute("aria-hidden", "true");
    }
    for (const group of document.querySelectorAll("fieldset:has([type=radio])")) {
      const all = [...group.querySelectorAll("[type=radio]")];
      const stop = all.find((each) => each.checked) ?? all.find((each) => !each.disabled);
      for (const each of all) if (each.tabIndex !== (each === stop ? 0 : -1)) each.tabIndex = each === stop ? 0 : -1;
    }
    for (const button of document.querySelectorAll("button.reset-button")) {
      const label = button.closest(".block")?.querySelector("[data-testid=block-info]")?.textContent.trim();
      if (label && !button.dataset.of) set(button, "aria-label", `${label}: ${button.getAttribute("aria-label") ?? "↺"}`);
      if (label) button.dataset.of = label;
    }
  }

  let isDue = false;
  function tellSoon() {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      tell();
    });
  }
  document.addEventListener("change", tellSoon);
  document.addEventListener("click", tellSoon);

  // ---- help, and the way past the forms

  document.addEventListener("click", (event) => {
    const help = byId("help");
    if (event.target.closest?.("#help-open")) help.showModal();
    else if (event.target === help || event.target.closest?.("#help .close")) help.close();
    else if (event.target.closest?.("a.skip")) {
      event.preventDefault();
      (isShown(byId("tabs")) ? byId("tab-library") : byId("rail-history"))?.focus();
    }
  });

  const begin = () => new MutationObserver(tellSoon).observe(document.body, { childList: true, subtree: true });
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})();
