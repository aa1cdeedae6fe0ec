// Shows the form of the user's own workflow in place of the modes' forms, until a mode is chosen or a form is filled in,
// and draws its fields; those in folds when they are opened first.
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

  const parts = new Set(); // what hands over the values that were kept: until Gradio has built a form, it undoes what is set

  window.ltxOwn = {
    /** The form of a file is there, newly built. */
    built() {
      parts.clear();
      if (window.ltxOwnKept.built()) this.open();
    },
    open() {
      opened += 1;
      root.dataset.form = "workflow";
      window.ltxOwnKept.isOpen(true);
      if (!PINNED.matches) window.ltxStudio.show(""); // the panel lies over the form
    },
    /** The file was taken away. */
    forget() {
      window.ltxOwnKept.forget();
      return this.close();
    },
    /** Open the form of a file that was there before: nothing changes, so that nothing builds it anew. */
    openSoon() {
      const before = opened;
      if (window.ltxOwnKept.isRestoringClosed()) return;
      setTimeout(() => opened === before && document.querySelector("#workflow-card .own-open") && this.open(), 1500);
    },
    close() {
      if (root.dataset.form === "workflow") delete root.dataset.form;
      window.ltxOwnKept.isOpen(false);
      return [];
    },
    /** What Gradio calls to draw fields; the component's value is what was edited, by key. */
    fields(element, props) {
      const place = element.querySelector(".own-fields");
      const keys = [...(props.fields ?? []), ...(props.groups ?? []).flatMap((each) => each.fields)].map(({ key }) => key);
      const edits = window.ltxOwnKept.edits(keys);
      let values = { ...props.value, ...Object.fromEntries(edits) };
      if (edits.length) parts.add(() => (props.value = values));

      function edit(key, value) {
        values = { ...values, [key]: value };
        props.value = values;
        window.ltxOwnKept.edit(key, value);
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

  /** Open the form of the clip that is shown, which carries its workflow; where it cannot be had, the server says what to do. */
  async function reopen(button) {
    try {
      const { href, download } = document.querySelector("#take-download");
      const answer = await fetch(href);
      if (!answer.ok) throw new Error(answer.status);
      window.ltxDrop.bring([new File([await answer.blob()], download)]);
    } catch {
      button.dataset.failed = "";
      button.click();
    }
  }
  document.addEventListener(
    "click",
    (event) => {
      const button = event.target.closest?.("[data-own]");
      if (!button || "failed" in button.dataset) return;
      event.stopPropagation();
      reopen(button);
    },
    true,
  );

  document.addEventListener("click", (event) => {
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
