// What is told above the run was said of the form as it was: whoever changes the form has read it.

const isOfForm = (event) => event.target.closest?.("#forms");
const forget = () => props.value && (props.value = "");

for (const act of ["input", "change", "drop"]) {
  document.addEventListener(act, (event) => isOfForm(event) && forget(), true);
}
// Gradio's lists are none of the browser's own
document.addEventListener("mousedown", (event) => isOfForm(event) && event.target.closest("[role=option]") && forget(), true);
document.addEventListener(
  "keydown",
  (event) => isOfForm(event) && event.key === "Enter" && event.target.closest("[role=combobox]") && forget(),
  true,
);
