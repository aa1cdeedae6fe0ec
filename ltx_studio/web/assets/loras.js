// The LoRAs of a form: those that are chosen, each with its strength, and a list to choose from. All text is set as text.
(() => {
  if (window.ltxLoras) return;

  const { add: made, isShown } = window.ltxDom;
  const shelves = new Map(); // by mode, what adds LoRAs to its form
  let asking = ""; // the mode whose form wants a file that is being uploaded

  /** What Gradio calls to draw one form's LoRAs, which are the component's value. */
  window.ltxLoras = (element, props, trigger, watch, mode) => {
    const { says } = props;
    const place = element.querySelector(".loras");
    const head = made(place, "div", "", { className: "loras-head" });
    made(head, "span", says.title);
    const add = made(head, "button", says.add, { className: "tool" });
    add.setAttribute("aria-expanded", "false");
    const picker = made(place, "div", "", { className: "lora-picker", hidden: true });
    const search = made(picker, "input", "", { type: "search", placeholder: says.search });
    search.setAttribute("aria-label", says.search);
    const upload = made(picker, "button", says.upload, { className: "tool" });
    const list = made(picker, "ul");
    const rows = made(place, "ul", "", { className: "lora-rows" });

    const chosen = () => (Array.isArray(props.value) ? props.value : []);
    function choose(next) {
      props.value = next;
      draw();
      trigger("edited");
    }

    function show(isOpen) {
      picker.hidden = !isOpen;
      add.setAttribute("aria-expanded", String(isOpen));
      if (!isOpen) return;
      trigger("look");
      drawList();
      search.focus();
      list.scrollIntoView({ block: "nearest" });
    }

    function drawList() {
      const wanted = search.value.trim().toLowerCase();
      const keys = new Set(chosen().map((each) => each.key));
      const text = (each) => [each.name, each.title, each.base, ...each.triggers].join(" ").toLowerCase();
      const found = props.library.filter((each) => text(each).includes(wanted));
      list.replaceChildren();
      for (const each of found) {
        const item = made(made(list, "li"), "button", "", { className: "lora-choice" });
        made(item, "span", each.name, { dir: "auto" });
        const about = [each.fits ? each.base : says.unfit, each.triggers.slice(0, 3).join(", ")];
        made(item, "small", about.filter(Boolean).join(" · "), { dir: "auto" });
        item.disabled = !each.fits || keys.has(each.key);
        item.addEventListener("click", () => {
          show(false);
          choose([...chosen(), each]);
          add.focus();
        });
      }
      if (!found.length) made(list, "li", props.library.length ? says.nothing : says.empty, { className: "line" });
    }

    /** A row stays where it is while its strength is edited: rows are drawn anew only when others are chosen. */
    let drawn = "";
    function draw() {
      const now = JSON.stringify(chosen());
      if (now === drawn) return;
      drawn = now;
      const held = rows.contains(document.activeElement) ? document.activeElement.dataset.key : null;
      rows.replaceChildren(...chosen().map(row));
      if (held) rows.querySelector(`input[data-key="${CSS.escape(held)}"]`)?.focus();
    }

    function row(lora) {
      const line = window.ltxDom.make("li");
      const name = made(line, "span", lora.name, { className: "lora-name", dir: "auto", title: lora.name });
      const strength = made(line, "input", "", { type: "number", min: -4, max: 4, step: 0.05, value: lora.strength });
      strength.dataset.key = lora.key;
      strength.setAttribute("aria-label", `${says.strength}: ${lora.name}`);
      strength.addEventListener("change", () => {
        const value = Math.min(4, Math.max(-4, Number(strength.value) || 0));
        strength.value = value;
        const next = chosen().map((each) => (each.key === lora.key ? { ...each, strength: value } : each));
        drawn = JSON.stringify(next); // the rows show it already; drawn anew, the button that was just pressed would be gone
        choose(next);
      });
      const remove = made(line, "button", "✕", { className: "tool" });
      remove.setAttribute("aria-label", `${says.remove}: ${lora.name}`);
      remove.addEventListener("click", () => {
        choose(chosen().filter((each) => each.key !== lora.key));
        add.focus();
      });
      const about = made(line, "div", "", { className: "lora-about" });
      if (lora.base) made(about, "small", lora.base);
      for (const word of lora.triggers) {
        const button = made(about, "button", `+ ${word}`, { className: "tool", title: says.trigger });
        button.addEventListener("click", () => window.ltxPrompt.add(mode, word));
      }
      about.hidden = !about.childElementCount;
      name.id = `${mode}-lora-${lora.key.replace(/\W+/g, "-")}`;
      return line;
    }

    add.addEventListener("click", () => show(picker.hidden));
    search.addEventListener("input", drawList);
    upload.addEventListener("click", () => {
      asking = mode;
      document.getElementById("lora-upload")?.click(); // its input is hidden
    });
    picker.addEventListener("dismiss", () => {
      show(false);
      add.focus();
    });
    watch("library", () => picker.hidden || drawList());
    watch("value", draw);
    shelves.set(mode, (entries) => {
      const hadFocus = picker.contains(document.activeElement);
      show(false);
      if (hadFocus) add.focus();
      const keys = new Set(chosen().map((each) => each.key));
      choose([...chosen(), ...entries.filter((each) => !keys.has(each.key))]);
    });
    draw();
  };

  /** Files were uploaded: they go to the form that asked for them, else to the one that is open. */
  window.ltxLoras.arrived = (entries) => {
    const open = [...document.querySelectorAll(".form-of-mode")].find(isShown);
    shelves.get(asking || open?.id.replace(/^form-/, ""))?.(entries ?? []);
    asking = "";
  };
})();
