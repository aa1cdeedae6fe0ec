// Tells Gradio which panel was opened or closed, and shows badges. The panels themselves are studio.js's.

const PANELS = ["history", "queue", "models", "batch", "workflow", "settings"];
const LEAVES = ["leave_models"]; // whose panels have something to end
let shown = "";

function follow(event) {
  const name = event.detail;
  if (name === shown) return;
  if (LEAVES.includes(`leave_${shown}`)) trigger(`leave_${shown}`);
  shown = name;
  if (PANELS.includes(name)) trigger(name);
}

function draw(name) {
  const button = element.querySelector(`#rail-${name}`);
  const { text = "", says = "" } = props[name] ?? {};
  const badge = button.querySelector(".badge");
  badge.textContent = text;
  badge.hidden = !text;
  if (says) button.setAttribute("aria-label", says);
  else button.removeAttribute("aria-label");
}

document.addEventListener("ltx-panel", follow);
for (const name of ["queue", "models"]) {
  watch(name, () => draw(name));
  draw(name);
}
follow({ detail: window.ltxStudio?.panel() ?? "" });
