// Shows the form of the user's own workflow in place of the modes' forms, until a mode is chosen or a form is filled in.
(() => {
  if (window.ltxOwn) return;

  const PINNED = window.matchMedia("(min-width: 1024px)");
  const root = document.documentElement;

  window.ltxOwn = {
    open() {
      root.dataset.form = "workflow";
      if (!PINNED.matches) window.ltxStudio.show(""); // the panel lies over the form
    },
    close() {
      if (root.dataset.form === "workflow") delete root.dataset.form;
      return [];
    },
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".own-open")) window.ltxOwn.open();
    else if (event.target.closest?.("#mode label")) window.ltxOwn.close();
    else if (event.target.closest?.(".own-close")) {
      window.ltxOwn.close();
      document.querySelector("#mode input:checked")?.focus();
    }
  });
})();
