// The prompt's tools: examples, the prompts that this browser has used, and undo when something has replaced what was
// written. All text is set as text. A picture that is pasted into a form goes to its first empty field for pictures.
(() => {
  if (window.ltxPrompt) return;

  const { add: made, isShown } = window.ltxDom;
  const RECENT = "ltx-studio.prompts";
  const MOST = 30;
  const tools = new Map(); // by mode, what tells that its prompt was replaced
  const before = new Map(); // by mode, its prompt before it is filled in

  const field = (mode) => document.querySelector(`#${CSS.escape(mode)}-prompt textarea`);
  const openForm = () => [...document.querySelectorAll(".form-of-mode")].find(isShown);

  function recent() {
    try {
      const kept = JSON.parse(localStorage.getItem(RECENT));
      return Array.isArray(kept) ? kept.filter((each) => typeof each === "string").slice(0, MOST) : [];
    } catch {
      return [];
    }
  }

  function keep(prompt) {
    const text = prompt.trim();
    if (!text) return;
    try {
      localStorage.setItem(RECENT, JSON.stringify([text, ...recent().filter((each) => each !== text)].slice(0, MOST)));
    } catch {
      // a browser that keeps nothing, or has no room
    }
  }

  /** Write into a prompt as a person does, so that the browser's own undo takes it back. */
  function write(mode, text) {
    const area = field(mode);
    if (!area) return;
    area.focus();
    area.select();
    if (!document.execCommand("insertText", false, text)) {
      area.value = text;
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  /** A button that opens a list of buttons below it. `fill` fills the list when it opens. */
  function menu(parent, label, fill) {
    const place = made(parent, "div", "", { className: "menu-place" });
    const button = made(place, "button", label, { className: "tool" });
    const list = made(place, "ul", "", { className: "menu", hidden: true });
    list.setAttribute("aria-label", label);
    const show = (isOpen) => {
      if (list.hidden !== isOpen) return;
      if (isOpen) {
        list.replaceChildren();
        fill((text, more, act) => {
          const item = made(made(list, "li"), "button");
          made(item, "span", text, { dir: "auto" });
          if (more) made(item, "small", more);
          item.addEventListener("click", () => {
            show(false);
            act();
          });
        });
      }
      list.hidden = !isOpen;
      button.setAttribute("aria-expanded", String(isOpen));
    };
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => show(list.hidden));
    place.addEventListener("focusout", (event) => event.relatedTarget && !place.contains(event.relatedTarget) && show(false));
    list.addEventListener("dismiss", () => {
      show(false);
      button.focus();
    });
    document.addEventListener("pointerdown", (event) => place.contains(event.target) || show(false));
  }

  /** What Gradio calls to draw the tools of one mode's prompt. */
  window.ltxPrompt = (element, props, trigger, watch, mode) => {
    const { says } = props;
    const bar = element.querySelector(".tools");
    menu(bar, says.examples, (add) => {
      for (const [label, more] of props.examples) add(label, more, () => trigger("example", { label }));
    });
    menu(bar, says.recent, (add) => {
      const kept = recent();
      for (const each of kept) add(each, "", () => write(mode, each));
      if (!kept.length) add(says.none, "", () => field(mode)?.focus());
    });
    const note = made(bar, "span", "", { className: "replaced", hidden: true });
    const told = made(note, "span");
    const undo = made(note, "button", says.undo, { className: "tool" });
    let settings = ""; // by what the settings are had back that a suggestion has replaced
    function show(text, word = "") {
      settings = word;
      told.textContent = text;
      note.hidden = false;
      window.ltxAnnouncer.say(text);
    }
    undo.addEventListener("click", () => {
      note.hidden = true;
      if (settings) trigger("undo", { word: settings });
      else write(mode, before.get(mode));
      field(mode)?.focus();
    });
    watch("undo", () => props.undo && show(says.changed, props.undo));
    note.tell = () => show(says.replaced);
    tools.set(mode, note);
  };

  /** What `forms.js` calls: a form is about to be filled in, and has been. */
  window.ltxPrompt.toFill = (mode) => before.set(mode, field(mode)?.value ?? "");
  window.ltxPrompt.filled = (mode, now) => {
    const was = before.get(mode) ?? "";
    if (!was.trim() || was === now || !tools.has(mode)) return;
    keep(was);
    tools.get(mode).tell();
  };
  /** Add words to the end of a prompt. */
  window.ltxPrompt.add = (mode, text) => {
    const said = field(mode)?.value.trimEnd() ?? "";
    write(mode, said ? `${said}${/[.,;]$/.test(said) ? "" : ","} ${text}` : text);
  };

  document.addEventListener("input", (event) => {
    const mode = event.target.closest?.(".prompt")?.id.replace(/-prompt$/, "");
    if (event.isTrusted && tools.has(mode)) tools.get(mode).hidden = true; // what is written now is the visitor's own
  });
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key.toLowerCase() !== "z" || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
      const mode = event.target.closest?.(".prompt")?.id.replace(/-prompt$/, "");
      if (!mode || tools.get(mode)?.hidden !== false) return;
      event.preventDefault(); // the browser's own undo knows nothing of a prompt that was filled in
      tools.get(mode).querySelector("button").click();
    },
    true,
  );
  document.addEventListener(
    "click",
    (event) => {
      const form = event.target.closest?.("button.generate")?.closest(".form-of-mode");
      if (!form) return;
      keep(form.querySelector(".prompt textarea")?.value ?? "");
      for (const note of tools.values()) if (form.contains(note)) note.hidden = true; // it is accepted
    },
    true,
  );

  // Escape closes a list of a form first; on the window, because what is on the document would stop a run
  window.addEventListener(
    "keydown",
    (event) => {
      const place = event.key === "Escape" && event.target.closest?.(".menu-place, .loras");
      const list = place && place.querySelector(".menu:not([hidden]), .lora-picker:not([hidden])");
      if (!list) return;
      event.preventDefault();
      event.stopPropagation();
      list.dispatchEvent(new Event("dismiss"));
    },
    true,
  );

  // ---- a pasted picture

  const isEmpty = (block) => !block.querySelector("img, video");
  document.addEventListener(
    "paste",
    (event) => {
      const picture = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"));
      const form = picture && openForm();
      const isElsewhere = event.target.closest?.("#drawer, dialog") && !form?.contains(event.target);
      const isText = event.target.matches?.("input, textarea") && event.clipboardData.types.includes("text/plain");
      if (!form || isElsewhere || isText) return; // a text program copies a picture of its text, too
      const inputs = [...form.querySelectorAll("input[type=file][accept*=image]")];
      const input = inputs.find((each) => isEmpty(each.closest(".block")));
      if (!input) return;
      event.preventDefault();
      event.stopPropagation();
      const files = new DataTransfer();
      files.items.add(picture);
      input.files = files.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    },
    true,
  );
})();
