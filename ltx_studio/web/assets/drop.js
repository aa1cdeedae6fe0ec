// A file dropped anywhere but on a field that takes files itself, or pasted: it goes to the server, which finds its place.
(() => {
  if (window.ltxDrop) return;

  const SOON = 20000; // ms until a panel's field is there
  const MOST_FILES = 8; // of one drop
  const FILLS = 10000; // ms at most until a chosen field holds its file
  const RETRY = 5000; // ms after which a new drop no longer waits for the answer about an earlier one
  const PATIENCE = 60000; // ms for the answer about a file
  const { byId, isShown } = window.ltxDom;
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const isBusy = () => document.querySelector("dialog[open]") !== null;

  const target = document.createElement("div");
  target.id = "studio-drop";
  target.hidden = true;
  let leaving = 0;

  const field = () => byId("restore-file")?.querySelector("input[type=file]");

  const waiting = []; // files for the server, which takes one after the other
  let isOpening = false; // a panel whose field will get the file that the server holds
  let asked = -Infinity; // when the server was given the file that it has not answered about

  function bring(files, isRestored = false) {
    // an upload that failed has no answer: who drops again later does not wait for it
    if (!waiting.length && field() && Date.now() - asked > RETRY) asked = -Infinity;
    waiting.push(...[...files].slice(0, MOST_FILES).map((file) => ({ file, isRestored })));
    next();
  }

  function next() {
    const input = field();
    if (!waiting.length) return;
    if (!input || isBusy() || isOpening || Date.now() - asked < PATIENCE) {
      setTimeout(next, 100);
      return;
    }
    asked = Date.now();
    const chosen = new DataTransfer();
    const { file, isRestored } = waiting.shift();
    chosen.items.add(file);
    input.files = chosen.files;
    input.dispatchEvent(Object.assign(new Event("change", { bubbles: true }), { isRestored }));
    if (waiting.length) setTimeout(next, 100);
  }

  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault(); // else the browser leaves the page for the file
    if (!carriesFiles(event) || isBusy() || window.ltxFiles.fieldAt(event.target)) {
      target.hidden = true;
      return;
    }
    if (!target.isConnected) document.body.append(target);
    target.textContent = byId("drop-words")?.dataset.drop ?? "";
    target.hidden = false;
    clearTimeout(leaving);
    leaving = setTimeout(() => (target.hidden = true), 300);
  });

  document.addEventListener("drop", (event) => {
    target.hidden = true;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (!isBusy() && !window.ltxFiles.fieldAt(event.target)) bring(event.dataTransfer.files);
  });

  document.addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData ?? {};
    const isText = event.target.matches?.("input, textarea, [contenteditable]") && types?.includes("text/plain");
    if (!files?.length || event.defaultPrevented || isText || isBusy()) return; // a text program copies a picture of it, too
    event.preventDefault();
    bring(files);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".open-file")) field()?.click();
  });

  let chosen = { place: "", until: 0 }; // the field that was chosen last, which is being filled

  window.ltxDrop = {
    /** Files as if they were dropped: each goes where it fits. `isRestored` if nobody brings them but the page. */
    bring,
    /** A place was chosen for the file that the server asked about. */
    choose(place) {
      asked = Date.now();
      chosen = { place, until: Date.now() + FILLS };
    },
    /** The open mode, and its fields for files that are empty, as JSON. */
    place() {
      const mode = document.querySelector("#mode input:checked")?.value ?? "";
      const inputs = byId(`form-${mode}`)?.querySelectorAll("input[type=file]") ?? [];
      const names = [...inputs].map((each) => each.closest(`[id^="${mode}-"]`)?.id.slice(mode.length + 1));
      const isBeingFilled = (name) => `${mode}:${name.replaceAll("-", "_")}` === chosen.place && Date.now() < chosen.until;
      return JSON.stringify({ mode, free: names.filter((each) => each && !isBeingFilled(each)) });
    },
    /** Show what was told, unless the visitor is asked something or sent to a panel. */
    toTold() {
      asked = -Infinity;
      if (!isBusy() && isShown(byId("told")) && byId("told").textContent.trim()) window.ltxStudio.toTold();
      return [];
    },
    /** Call `then` when the field for a panel's file is there. */
    whenThere(id, then, until = Date.now() + SOON) {
      isOpening = true;
      if (byId(id)) then();
      else if (Date.now() < until) setTimeout(() => this.whenThere(id, then, until), 50);
      else isOpening = false;
    },
    /** A panel's field has its file. */
    arrived() {
      isOpening = false;
      return [];
    },
  };
})();
