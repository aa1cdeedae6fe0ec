// Shows the form of the user's own workflow in place of the modes' forms, until a mode is chosen or a form is filled in,
// and draws its fields; those in folds when they are opened first. After a reload the form is there again.
(() => {
  if (window.ltxOwn) return;

  const PINNED = window.matchMedia("(min-width: 1024px)");
  const root = document.documentElement;
  const { add, make } = window.ltxDom;

  /** The element that takes a field's value; `edited` is called with each new one, or with nothing for the workflow's. */
  function inputOf(field, value, edited) {
    const id = `${field.id}-value`;
    if (field.kind === "switch") {
      const box = make("input", { type: "checkbox", id });
      box.checked = value === true;
      box.addEventListener("change", () => edited(box.checked));
      return box;
    }
    const isText = field.kind === "text";
    const isChoice = field.kind === "choice";
    const input = isChoice ? make("select", { id }) : field.lines ? make("textarea", { id, rows: field.lines, dir: "auto" }) : make("input", { id, type: isText ? "text" : "number" });
    if (isChoice) {
      if (value === null) add(input, "option", "", { value: "" });
      for (const each of field.choices) add(input, "option", each, { value: each });
    }
    for (const name of ["min", "max", "step"]) if (name in field) input.setAttribute(name, field[name]);
    input.value = value ?? "";
    input.addEventListener("input", () => edited(input.value === "" && !isText ? undefined : input.value));
    return input;
  }

  let opened = 0; // how often the form was

  // ---- the file and what was written into its form outlive a reload of this tab

  const KEPT = "ltx-studio.workflow";
  const LONGEST = 1_000_000; // characters of a file that is kept
  let kept = read(); // the file's name and text, the edited values by key, and whether the form is open
  let given = null; // the file that was brought last

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(KEPT));
    } catch {
      return null;
    }
  }

  function keep(changes) {
    kept = changes && { ...kept, ...changes };
    try {
      if (kept) sessionStorage.setItem(KEPT, JSON.stringify(kept));
      else sessionStorage.removeItem(KEPT);
    } catch {
      // a browser that keeps nothing, or has no room
    }
  }

  function note(files) {
    const [file] = files ?? [];
    if (!file) return;
    const noted = { name: file.name, text: "" };
    given = noted;
    if (file.name.endsWith(".json") && file.size <= LONGEST) file.text().then((text) => (noted.text = text));
  }

  const isKept = () => kept && kept.text === given?.text;
  const FIELDS = "#workflow-file, #restore-file";
  document.addEventListener("change", ({ target }) => target.closest?.(FIELDS) && note(target.files), true);
  document.addEventListener("drop", ({ target, dataTransfer }) => target.closest?.("#workflow-file") && note(dataTransfer.files), true);

  const parts = new Set(); // what hands over the values that were kept: until Gradio has built a form, it undoes what is set
  let isClosed = kept && !kept.open; // it was when the page was loaded again
  if (kept) window.ltxDrop.bring([new File([kept.text], kept.name, { type: "application/json" })]);

  window.ltxOwn = {
    /** The form of a file is there, newly built. */
    built() {
      if (!isKept()) keep(given?.text ? { ...given, edits: {}, open: true } : null);
      parts.clear();
      if (!isClosed) this.open();
      isClosed = false;
    },
    open() {
      opened += 1;
      root.dataset.form = "workflow";
      if (kept) keep({ open: true });
      if (!PINNED.matches) window.ltxStudio.show(""); // the panel lies over the form
    },
    /** The file was taken away. */
    forget() {
      keep(null);
      return this.close();
    },
    /** Open the form of a file that was there before: nothing changes, so that nothing builds it anew. */
    openSoon() {
      const before = opened;
      setTimeout(() => opened === before && document.querySelector("#workflow-card .own-open") && this.open(), 1500);
    },
    close() {
      if (root.dataset.form === "workflow") delete root.dataset.form;
      if (kept) keep({ open: false });
      return [];
    },
    /** What Gradio calls to draw fields; the component's value is what was edited, by key. */
    fields(element, props) {
      const place = element.querySelector(".own-fields");
      const keys = [...(props.fields ?? []), ...(props.groups ?? []).flatMap((each) => each.fields)].map(({ key }) => key);
      const edits = Object.entries(isKept() ? kept.edits : {}).filter(([key]) => keys.includes(key));
      let values = { ...props.value, ...Object.fromEntries(edits) };
      if (edits.length) parts.add(() => (props.value = values));

      function edit(key, value) {
        values = { ...values, [key]: value };
        props.value = values;
        if (isKept()) keep({ edits: { ...kept.edits, [key]: value } });
      }

      function draw(parent, fields) {
        for (const field of fields) {
          const input = inputOf(field, values[field.key] ?? field.value, (now) => edit(field.key, now));
          const label = make("label", { for: input.id, dir: "auto" }, field.label);
          const line = make("div", { id: field.id, class: `own-field ${field.lines || field.kind === "text" ? "text" : field.kind}` });
          line.append(...(field.kind === "switch" ? [input, label] : [label, input]));
          parent.append(line);
        }
      }

      /** A closed fold, filled when it is opened first. */
      function fold(parent, title, count, fill) {
        const made = add(parent, "details", "", { className: "own-fold" });
        const summary = add(made, "summary", title, { dir: "auto" });
        if (count) add(summary, "small", String(count));
        const inner = add(made, "div", "", { className: "own-fields" });
        made.addEventListener("toggle", () => made.open && !inner.childElementCount && fill(inner));
      }

      draw(place, props.fields ?? []);
      if (props.groups)
        fold(place, props.more, 0, (inner) => {
          for (const { title, fields } of props.groups) {
            if (title) fold(inner, title, fields.length, (group) => draw(group, fields));
            else draw(inner, fields);
          }
        });
    },
  };

  document.addEventListener(
    "click",
    (event) => {
      if (!event.target.closest?.("#run-workflow")) return;
      for (const handOver of parts) handOver();
      parts.clear();
    },
    true,
  );

  /** Open the form of the clip that is shown, which carries its workflow. */
  async function reopen() {
    const { href, download } = document.querySelector("#take-download");
    const answer = await fetch(href);
    if (answer.ok) window.ltxDrop.bring([new File([await answer.blob()], download)]);
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-act=reopen]")) reopen();
    if (event.target.closest?.(".own-open")) {
      window.ltxOwn.open();
      setTimeout(() => document.querySelector("#form-workflow h2")?.focus()); // the next Tab goes to its first field
    }
    if (event.target.closest?.("#mode label")) window.ltxOwn.close();
    else if (event.target.closest?.(".own-close")) {
      window.ltxOwn.close();
      document.querySelector("#mode input:checked")?.focus();
    }
  });
})();
