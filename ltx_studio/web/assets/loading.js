// Keeps the page hidden until its parts are there. Gradio adds each part when its script arrives, which would push down
// what is already shown.
(() => {
  const root = document.documentElement;
  const PARTS = [
    "#top", "#rail-history", "#screen", "#run", "#mode label", "[id$=-prompt] textarea", "[id$=-shape] label",
    "[id$=-seconds] input", "[id$=-takes] input", "[id$=-seed] input", "[id$=-preset] label", "[id$=-more]",
    "[id$=-generate]",
  ];
  const LONGEST = 15_000; // milliseconds, after which the page is shown with what it has
  const PAUSE = 30; // between two looks: hundreds of changes come while the page is made

  const has = (part) => document.querySelector(part) !== null;
  let hasLoader = false; // Gradio shows one until it has added everything
  let due = 0;

  function show() {
    watch.disconnect();
    delete root.dataset.loading;
  }

  function look() {
    due = 0;
    const loads = has(".main > .wrap.full");
    if (PARTS.every(has) || (hasLoader && !loads)) show();
    hasLoader ||= loads;
  }

  const watch = new MutationObserver(() => (due ||= setTimeout(look, PAUSE)));

  root.dataset.loading = "";
  watch.observe(root, { childList: true, subtree: true });
  setTimeout(show, LONGEST);
})();
