// What the browser does with the forms by itself: it keeps them, takes them up again when the page opens, and shows what is open.
(() => {
  if (window.ltxForms) return;

  // one entry for each form: what is read and written again would undo what another tab has written meanwhile
  const MODE = "ltx-studio.mode";
  const FORM = "ltx-studio.form.";
  const atStart = new Map(); // what of each mode's form was kept when the page opened
  const known = new Map(); // what of it this tab has read or written last
  const settling = new Set(); // modes whose form is being filled in with what was kept
  const filled = new Set(); // modes whose form was filled in because somebody asked for it
  let changes = 0;
  let hasBegun = false; // to use the page: who has is left where they are
  for (const act of ["pointerdown", "keydown", "input", "change", "drop"]) {
    const begins = (event) => act === "drop" || Boolean(event.target.closest?.("#mode, #forms, #restore-file"));
    document.addEventListener(act, (event) => (hasBegun ||= begins(event)), true);
  }

  function read(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  function write(key, text) {
    try {
      localStorage.setItem(key, text);
    } catch {
      // a browser that keeps nothing, or has no room: the forms are as ever, until the next load
    }
  }

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  const textOf = (names, values) => JSON.stringify(Object.fromEntries(names.map((name, i) => [name, values[i] ?? ""])));
  /** Fields that are not on the page yet tell of each change at once, with the others as they were: wait for all those. */
  const told = () => new Promise((goOn) => setTimeout(goOn));

  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(FORM)) atStart.set(key.slice(FORM.length), read(key));
    }
  } catch {
    // a browser that keeps nothing
  }
  for (const [mode, text] of atStart) known.set(mode, text);

  /** What Gradio calls; `names` are a mode and its fields, `values` what those hold. */
  window.ltxForms = {
    /** What is kept of each of the modes. */
    kept: () => Object.fromEntries([...atStart].map(([mode, text]) => [mode, parsed(text)])),
    /** Keep what a form holds, unless it is what this tab knows: another may have kept something newer. */
    remember([mode, ...names], values) {
      const text = textOf(names, values);
      if (!settling.has(mode)) {
        if (known.get(mode) !== text) write(FORM + mode, text);
        known.set(mode, text);
      }
      return [(changes += 1)];
    },
    /** A form was filled in, and its mode opened, because somebody asked for it. */
    async filled(names, values) {
      filled.add(names[0]);
      const isOpen = document.querySelector("#mode input:checked")?.value === names[0]; // not when one was chosen since
      if (isOpen) write(MODE, names[0]);
      await told();
      return this.remember(names, values);
    },
    /**
     * Fill in what was kept, where nothing has been changed: `found` is JSON that has by name what the page was built with,
     * the update, and the field that rules it, if any.
     */
    restore([mode, ...names], found, values) {
      const kept = filled.has(mode) ? {} : JSON.parse(found);
      const isAsBuilt = (name) => !(name in kept) || (values[names.indexOf(name)] || null) === (kept[name][0] || null);
      const update = ([, one, ruler], name) => (isAsBuilt(name) && (!ruler || isAsBuilt(ruler)) ? one : undefined);
      settling.add(mode);
      return names.map((name) => kept[name] && update(kept[name], name));
    },
    /** What was kept is in the form, which is kept anew if it was changed meanwhile. */
    async restored([mode, ...names], values) {
      await told();
      settling.delete(mode);
      if (known.get(mode) === atStart.get(mode)) known.set(mode, textOf(names, values));
      return this.remember([mode, ...names], values);
    },
    /** The fields of a size of one's own, or the slider of an area. */
    showSize: (isOwn) => [isOwn, isOwn, !isOwn].map((visible) => ({ __type__: "update", visible })),
    enable: (interactive) => ({ __type__: "update", interactive }),
    /** A mode was chosen: its form, its tag, and what it tells. `tags` has all modes in their order. */
    open(mode, tags) {
      write(MODE, mode);
      const modes = Object.keys(tags);
      const shown = modes.map((each) => ({ __type__: "update", visible: each === mode }));
      return [...shown, tags[mode], ...modes.map((each) => (each === mode ? (changes += 1) : undefined))];
    },
    /** Open the mode that was open last, as a click does. */
    openKept() {
      const mode = CSS.escape(read(MODE) ?? "");
      if (!hasBegun && !filled.size) document.querySelector(`#mode input[value="${mode}"]:not(:checked)`)?.click();
      return [];
    },
  };
})();
