// A file dropped anywhere but on a field that takes files itself, or pasted: it goes to the server, which finds its place.
(() => {
  if (window.ltxDrop) return;

  const SOON = 20000; // ms until the field for files is empty again, after the file before
  const byId = (id) => document.getElementById(id);
  const isShown = (element) => Boolean(element && element.offsetParent !== null);
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const isBusy = () => document.querySelector("dialog[open]") !== null;

  const target = document.createElement("div");
  target.id = "studio-drop";
  target.hidden = true;
  let leaving = 0;

  const field = () => byId("restore-file")?.querySelector("input[type=file]");

  /** Hand a file to the server, as soon as it has taken the one before. */
  function bring(file, until = Date.now() + SOON) {
    const input = field();
    if (!input) {
      if (Date.now() < until) setTimeout(() => bring(file, until), 100);
      return;
    }
    const chosen = new DataTransfer();
    chosen.items.add(file);
    input.files = chosen.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
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
    const [file] = event.dataTransfer.files;
    if (file && !isBusy() && !window.ltxFiles.fieldAt(event.target)) bring(file);
  });

  document.addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData ?? {};
    const isText = event.target.matches?.("input, textarea, [contenteditable]") && types?.includes("text/plain");
    if (!files?.length || event.defaultPrevented || isText || isBusy()) return; // a text program copies a picture of it, too
    event.preventDefault();
    bring(files[0]);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".open-file")) field()?.click();
  });

  window.ltxDrop = {
    /** The open mode, and its fields for files that are empty, as JSON. */
    place() {
      const mode = document.querySelector("#mode input:checked")?.value ?? "";
      const inputs = byId(`form-${mode}`)?.querySelectorAll("input[type=file]") ?? [];
      const names = [...inputs].map((each) => each.closest(`[id^="${mode}-"]`)?.id.slice(mode.length + 1));
      return JSON.stringify({ mode, free: names.filter(Boolean) });
    },
    /** Show what was told, unless the visitor is asked something or sent to a panel. */
    toTold() {
      if (!isBusy() && isShown(byId("told")) && byId("told").textContent.trim()) window.ltxStudio.toTold();
      return [];
    },
    /** Call `then` when the field for a panel's file is there. */
    whenThere(id, then, until = Date.now() + SOON) {
      if (byId(id)) then();
      else if (Date.now() < until) setTimeout(() => this.whenThere(id, then, until), 50);
    },
  };
})();
