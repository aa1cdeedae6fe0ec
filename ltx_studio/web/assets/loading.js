// Keeps the page hidden until its parts are there. Gradio adds each part when its script arrives, which would push down
// what is already shown.
(() => {
  const root = document.documentElement;
  const PARTS = [
    "#top", "#rail-history", "#screen", "#run", "#mode label", "[id$=-prompt] textarea", "[id$=-shape] label",
    "[id$=-seconds] input", "[id$=-takes] input", "[id$=-seed] input", "[id$=-preset] label", "[id$=-more]",
    "[id$=-generate]",
  ];
  const LONGEST = 15_000;

  const has = (part) => document.querySelector(part) !== null;
  let hasLoader = false; // Gradio shows one until it has added everything

  function show() {
    watch.disconnect();
    delete root.dataset.loading;
  }

  const watch = new MutationObserver(() => {
    const loads = has(".main > .wrap.full");
    if (PARTS.every(has) || (hasLoader && !loads)) show();
    hasLoader ||= loads;
  });

  root.dataset.loading = "";
  watch.observe(root, { childList: true, subtree: true });
  setTimeout(show, LONGEST);
})();
