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

  window.ltxOwn = {
    open() {
      opened += 1;
      root.dataset.form = "workflow";
      if (!PINNED.matches) window.ltxStudio.show(""); // the panel lies over the form
    },
    /** Open the form of a file that was there before: nothing changes, so that nothing builds it anew. */
    openSoon() {
      const before = opened;
      setTimeout(() => opened === before && document.querySelector("#workflow-card .own-open") && this.open(), 1500);
    },
    close() {
      if (root.dataset.form === "workflow") delete root.dataset.form;
      return [];
    },
    /** What Gradio calls to draw fields; the component's value is what was edited, by key. */
    fields(element, props) {
      const place = element.querySelector(".own-fields");

      function draw(parent, fields) {
        for (const field of fields) {
          const value = props.value?.[field.key] ?? field.value;
          const input = inputOf(field, value, (now) => (props.value = { ...props.value, [field.key]: now }));
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

  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".own-open")) window.ltxOwn.open();
    else if (event.target.closest?.("#mode label")) window.ltxOwn.close();
    else if (event.target.closest?.(".own-close")) {
      window.ltxOwn.close();
      document.querySelector("#mode input:checked")?.focus();
    }
  });
})();
