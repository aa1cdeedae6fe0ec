// What the browser keeps of the forms, and takes up again when the page opens.
(() => {
  if (window.ltxForms) return;

  // one entry for each form: what is read and written again would undo what another tab has written meanwhile
  const MODE = "ltx-studio.mode";
  const FORM = "ltx-studio.form.";
  const known = new Map(); // what of each mode's form this tab has read or written last
  const filled = new Set(); // modes whose form was filled in because somebody asked for it
  let changes = 0;
  let hasChosen = false; // a mode, or a video that opens one
  const chooses = (event) => Boolean(event.target.closest?.("#mode, #restore-file"));
  document.addEventListener("change", (event) => (hasChosen ||= chooses(event)), true);

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

  /** What Gradio calls; `names` are a mode and its fields, `values` what those hold. */
  window.ltxForms = {
    /** What is kept of each of the modes, when the page opens. */
    kept(modes) {
      for (const mode of modes) known.set(mode, read(FORM + mode));
      return Object.fromEntries(modes.map((mode) => [mode, parsed(known.get(mode))]));
    },
    /** Keep what a form holds, unless it is what this tab knows: another may have kept something newer. */
    remember([mode, ...names], values) {
      const text = JSON.stringify(Object.fromEntries(names.map((name, index) => [name, values[index]])));
      if (known.get(mode) !== text) write(FORM + mode, text);
      known.set(mode, text);
      return [(changes += 1)];
    },
    /** A form was filled in, and its mode opened, because somebody asked for it. */
    filled(names, values) {
      filled.add(names[0]);
      this.rememberMode(names[0]);
      return this.remember(names, values);
    },
    /** What `found` (JSON: by name, what the page was built with and the update) has for fields that are as built. */
    restore([mode, ...names], found, values) {
      const kept = filled.has(mode) ? {} : JSON.parse(found);
      const updates = names.map((name, index) => {
        const [built, update] = kept[name] ?? [];
        return (values[index] || null) === (built || null) ? update : undefined;
      });
      return [(changes += 1), ...updates];
    },
    rememberMode(mode) {
      write(MODE, mode);
      return [];
    },
    /** Open the mode that was open last, as a click does, unless the visitor has opened one meanwhile. */
    openKept() {
      const mode = CSS.escape(read(MODE) ?? "");
      if (!hasChosen && !filled.size) document.querySelector(`#mode input[value="${mode}"]:not(:checked)`)?.click();
      return [];
    },
  };
})();
