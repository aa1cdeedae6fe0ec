// What is told above the run was said of the form as it was: whoever changes the form, or its mode, has read it.

const isOfForm = (event) => event.target.closest?.("#forms, #mode");
watch("value", () => props.value && window.ltxStudio?.toRefusal());
const forget = () => props.value && (props.value = "");
// A text that is hidden while it is being edited, since another mode opens, tells of a change that nobody made
const isText = (event) => event.target.matches?.("textarea, input:not([type=checkbox], [type=radio], [type=file])");
// Dice, reset, paste and the crosses of files (and what only plays them); not what only opens a fold
const CHANGES = "#forms button:not(.generate, .label-wrap, .help, .menu-place > .tool), #forms [role=option]";

for (const act of ["input", "drop"]) document.addEventListener(act, (event) => isOfForm(event) && forget(), true);
document.addEventListener("change", (event) => isOfForm(event) && !isText(event) && forget(), true);
for (const act of ["mousedown", "click"]) {
  document.addEventListener(act, (event) => event.target.closest?.(CHANGES) && forget(), true);
}
document.addEventListener(
  "keydown",
  (event) => isOfForm(event) && event.key === "Enter" && event.target.closest("[role=combobox]") && forget(),
  true,
);

// That other clips continue is over with the last of them; between two clips nothing goes on for a moment.
const BETWEEN = 3000;
document.addEventListener("ltx-idle", () => {
  setTimeout(() => !window.ltxStudio.isGoing() && element.querySelector(".rest") && forget(), BETWEEN);
});
