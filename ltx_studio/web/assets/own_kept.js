// Keeps the file of the user's own workflow, and what was written into its form, over a reload of this tab.
(() => {
  if (window.ltxOwnKept) return;

  const FILE = "ltx-studio.workflow";
  const EDITS = "ltx-studio.workflow.edits";
  const LONGEST = 1_000_000; // characters of a file that is kept
  const FIELDS = "#workflow-file, #restore-file";
  const root = document.documentElement;

  let given = null; // the file that was brought last: its name and its text
  let shown = null; // the file whose form was built last
  let kept = read(FILE); // the file, whether its form is open, and the panel that is
  let edits = read(EDITS) ?? {}; // the edited values of the kept file's form, by key
  let isRestoring = false;

  function read(key) {
    try {
      return JSON.parse(sessionStorage.getItem(key));
    } catch {
      return null;
    }
  }

  function write(key, value) {
    try {
      if (value) sessionStorage.setItem(key, JSON.stringify(value));
      else sessionStorage.removeItem(key);
    } catch {
      // a browser that keeps nothing, or has no room
    }
  }

  function keep(changed) {
    kept = changed;
    write(FILE, kept);
  }

  function note(files) {
    const [file] = files ?? [];
    if (!file) return;
    const noted = { name: file.name, text: "" };
    given = noted;
    if (file.name.endsWith(".json") && file.size <= LONGEST) file.text().then((text) => (noted.text = text));
  }
  document.addEventListener("change", ({ target }) => target.closest?.(FIELDS) && note(target.files), true);
  document.addEventListener(
    "drop",
    ({ target, dataTransfer }) => target.closest?.("#workflow-file") && note(dataTransfer.files),
    true,
  );

  const isKept = () => Boolean(kept?.text && kept.text === shown?.text);

  function restore() {
    isRestoring = true;
    window.ltxDrop.bring([new File([kept.text], kept.name, { type: "application/json" })], true);
  }
  if (kept?.isOpen) restore();
  else if (kept) {
    // its form was closed: it is there again when its panel is open
    const opens = ({ detail }) => {
      if (detail !== "workflow") return;
      document.removeEventListener("ltx-panel", opens);
      if (kept && !shown) restore();
    };
    document.addEventListener("ltx-panel", opens);
  }

  window.addEventListener("pagehide", () => kept && keep({ ...kept, panel: root.dataset.panel ?? "" }));

  window.ltxOwnKept = {
    /** A form was built, of the file that was brought last; return whether it opens. */
    built() {
      shown = given;
      if (!isKept()) {
        keep(shown?.text ? { ...shown, isOpen: true } : null);
        edits = {};
        write(EDITS, null);
      }
      const [opens, panel] = isRestoring ? [kept?.isOpen, kept?.panel] : [true, ""];
      isRestoring = false;
      if (opens && panel && panel !== "workflow") window.ltxStudio.show(panel); // as it was before the reload
      return Boolean(opens);
    },
    /** The form was opened or closed. */
    isOpen(now) {
      if (isKept() && kept.isOpen !== now) keep({ ...kept, isOpen: now });
    },
    /** The file was taken away. */
    forget() {
      keep(null);
      write(EDITS, null);
    },
    /** Whether a form that was closed is on its way. */
    isRestoringClosed: () => isRestoring && !kept?.isOpen,
    /** The values that were written into the fields with these keys. */
    edits: (keys) => (isKept() ? Object.entries(edits).filter(([key]) => keys.includes(key)) : []),
    /** A value was written into a field. */
    edit(key, value) {
      if (!isKept()) return;
      edits = { ...edits, [key]: value };
      write(EDITS, edits);
    },
  };
})();
