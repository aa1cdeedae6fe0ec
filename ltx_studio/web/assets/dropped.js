// Asks what a dropped file is to be used as, in a dialog of its own, or opens the panel that it goes to.
const { make } = window.ltxDom;
const words = () => element.querySelector("#drop-words").dataset;
let dialog = null;

function build() {
  const title = make("h2", { id: "drop-title" });
  const cancel = make("button", { type: "button", class: "cancel" }, words().cancel);
  const built = make("dialog", { class: "drop-ask", "aria-labelledby": "drop-title" }, title, make("ul", {}), cancel);
  built.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    built.close();
    const { place } = button.dataset;
    if (!place) return;
    window.ltxDrop.choose(place);
    trigger("choose", { place });
  });
  element.parentElement.append(built);
  return built;
}

function ask({ title, places }) {
  dialog ??= build();
  dialog.querySelector("h2").textContent = title;
  const items = places.map(([place, label]) => {
    return make("li", {}, make("button", { type: "button", "data-place": place }, label));
  });
  dialog.querySelector("ul").replaceChildren(...items);
  if (!dialog.open) dialog.showModal();
}

watch("value", () => {
  const { places, panel, field } = props.value ?? {};
  if (places) ask(props.value);
  if (!panel) return;
  window.ltxStudio.show(panel);
  window.ltxDrop.whenThere(field, () => trigger("arrived"));
  if (panel === "workflow") window.ltxOwn.openSoon();
});
