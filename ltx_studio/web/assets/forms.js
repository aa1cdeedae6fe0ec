// What the browser does with the forms by itself: it keeps them, takes them up again when the page opens, and shows what is open.
(() => {
  if (window.ltxForms) return;

  // one entry for each form: what is read and written again would undo what another tab has written meanwhile
  const MODE = "ltx-studio.mode";
  const FORM = "ltx-studio.form.";
  const atStart = new Map(); // what of each mode's form was kept when the page opened
  const known = new Map(); // what of it this tab has read or written last
  const settling = new Map(); // by modes whose form is being filled in with what was kept: what it will hold, if nobody has changed it
  const taken = new Set(); // modes whose form has been filled in with what was kept
  const filled = new Set(); // modes whose form was filled in because somebody asked for it
  let changes = 0;
  let hasBegun = false; // to use the page: who has is left where they are
  for (const act of ["pointerdown", "keydown", "input", "change", "drop"]) {
    const begins = (event) => act === "drop" || Boolean(event.target.closest?.("#mode, #forms, #result, #restore-file, .drop-ask"));
    document.addEventListener(act, (event) => (hasBegun ||= !event.isRestored && begins(event)), true);
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

  const opened = () => document.querySelector("#mode input:checked")?.value;
  const same = (one, other) => JSON.stringify(one || null) === JSON.stringify(other || null); // LoRAs are a list
  const textOf = (names, values) => JSON.stringify(Object.fromEntries(names.map((name, i) => [name, values[i] ?? ""])));
  /** Fields that are not on the page yet tell of each change at once, with the others as they were: wait for all those. */
  const told = () => new Promise((goOn) => setTimeout(() => goOn([])));

  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(FORM)) atStart.set(key.slice(FORM.length), read(key));
    }
  } catch {
    // a browser that keeps nothing
  }
  for (const [mode, text] of atStart) known.set(mode, text);

  /** What is to be kept of a form: where it is as built, what was kept, as long as that is on its way into it. */
  function textToKeep({ mode, names, built }, values) {
    if (!atStart.has(mode) || taken.has(mode) || filled.has(mode)) return textOf(names, values);
    if (values.every((value, i) => same(value, built[i]))) return known.get(mode);
    const kept = Object(parsed(atStart.get(mode)));
    const isKept = (name, i) => Object.hasOwn(kept, name) && same(values[i], built[i]);
    return textOf(names, names.map((name, i) => (isKept(name, i) ? kept[name] : values[i])));
  }

  // While the server does not answer, Gradio hands on no change, and the page is loaded again as soon as it does: keep what
  // is entered meanwhile, and where.
  const FOCUS = "ltx-studio.focus";
  const ENTERED = "textarea, input:is([type=number], [type=range], [type=radio], [type=checkbox])";
  const AWAY = 2000; // milliseconds; a page that is left breaks its connection, too
  const root = document.documentElement;
  const isLost = () => "lost" in root.dataset;
  let lostSince = 0;
  let hasEntered = false;
  new MutationObserver(() => isLost() && (lostSince ||= Date.now())).observe(root, { attributeFilter: ["data-lost"] });

  function entered(field) {
    if (field.type === "checkbox") return field.checked;
    return ["number", "range"].includes(field.type) && field.value ? field.valueAsNumber : field.value;
  }

  document.addEventListener("input", ({ target }) => {
    const form = isLost() && target.matches?.(ENTERED) && !target.closest(".loras") && target.closest(".form-of-mode");
    if (!form) return;
    const mode = form.id.replace(/^form-/, "");
    const block = target.closest(`[id^="${mode}-"]`);
    if (!block) return;
    hasEntered = true;
    const name = block.id.slice(mode.length + 1).replaceAll("-", "_");
    const text = JSON.stringify({ ...Object(parsed(known.get(mode) ?? null)), [name]: entered(target) });
    write(FORM + mode, text);
    known.set(mode, text);
  });
  window.addEventListener("pagehide", () => {
    const isAway = isLost() && (hasEntered || Date.now() - lostSince > AWAY);
    const block = isAway && document.activeElement.closest(".form-of-mode [id]");
    try {
      if (block) sessionStorage.setItem(FOCUS, block.id);
    } catch {
      // a browser that keeps nothing
    }
  });

  function restoreFocus() {
    try {
      const block = document.getElementById(sessionStorage.getItem(FOCUS) ?? "");
      sessionStorage.removeItem(FOCUS);
      const isFree = document.activeElement === document.body;
      if (block && isFree) (block.querySelector("textarea, input, button") ?? block).focus();
    } catch {
      // a browser that keeps nothing
    }
  }

  /** What Gradio calls: with a form's `mode`, the `names` of its fields, what they are `built` with, and the `values` that they hold. */
  window.ltxForms = {
    /** What is kept of each of the modes. */
    kept: () => Object.fromEntries([...atStart].map(([mode, text]) => [mode, parsed(text)])),
    /** Keep what a form holds, unless it is what this tab knows: another may have kept something newer. */
    remember(form, values) {
      const { mode } = form;
      if (!settling.has(mode)) {
        const text = textToKeep(form, values);
        if (known.get(mode) !== text) write(FORM + mode, text);
        known.set(mode, text);
      }
      return [(changes += 1)];
    },
    /** A form is about to be filled in: its prompt can be had back. */
    toFill(mode, word) {
      window.ltxPrompt.toFill(mode);
      return [word];
    },
    /** A form was filled in, and its mode opened, because somebody asked for it. */
    filled({ mode, names }, values) {
      filled.add(mode);
      window.ltxPrompt.filled(mode, values[names.indexOf("prompt")]);
      window.ltxOwn.close();
      if (opened() === mode) write(MODE, mode); // not when another was chosen since
      return told();
    },
    /** Fill in what was kept, where nothing has been changed: `found` is JSON of the update, and what rules the field, by name. */
    restore({ mode, names, built }, found, values) {
      const kept = filled.has(mode) ? {} : JSON.parse(found);
      const isAsBuilt = (name) => same(values[names.indexOf(name)], built[names.indexOf(name)]);
      const update = ([one, ruler], name) => (isAsBuilt(name) && (!ruler || isAsBuilt(ruler)) ? one : undefined);
      const updates = names.map((name) => kept[name] && update(kept[name], name));
      const willHold = updates.map((each, i) => (each && "value" in each ? each.value : values[i]));
      settling.set(mode, names.every(isAsBuilt) ? textOf(names, willHold) : null);
      return updates;
    },
    /** Between filling a form in and asking what it holds. */
    told,
    /** What was kept is in the form, which is kept anew if it was changed meanwhile. */
    settled(form, values) {
      const text = textOf(form.names, values);
      const isUntouched = text === settling.get(form.mode) && known.get(form.mode) === atStart.get(form.mode);
      if (isUntouched) known.set(form.mode, text);
      settling.delete(form.mode);
      taken.add(form.mode);
      return this.remember(form, values);
    },
    /** The fields of a size of one's own, or the sizes to choose from. */
    showSize(isOwn, mode) {
      const chosen = document.querySelector(`#${mode}-size label.selected`)?.textContent.match(/(\d+)×(\d+)/);
      const begun = (side) => (isOwn && chosen ? { value: Number(chosen[side]) } : {}); // as large as the size before
      const update = (visible, more = {}) => ({ __type__: "update", visible, ...more });
      return [update(isOwn, begun(1)), update(isOwn, begun(2)), update(!isOwn)];
    },
    show: (visible) => ({ __type__: "update", visible }),
    /** A mode was chosen: its form, and what it tells. `modes` has all in their order. */
    open(mode, modes) {
      write(MODE, mode);
      const shown = modes.map((each) => ({ __type__: "update", visible: each === mode }));
      return [...shown, ...modes.map((each) => (each === mode ? (changes += 1) : undefined))];
    },
    /** Open the mode that was open last, as a click does, unless somebody is at work in one. */
    openKept() {
      const mode = CSS.escape(read(MODE) ?? "");
      if (hasBegun || filled.size) write(MODE, opened());
      else document.querySelector(`#mode input[value="${mode}"]:not(:checked)`)?.click();
      setTimeout(restoreFocus, 500); // when the mode is open
      return [];
    },
  };
})();
