// That clips are deleted is told as long as they can be put back, whatever else is done meanwhile.
watch("value", () => {
  const card = element.querySelector(".deleted");
  const told = props.value;
  const takes = card?.querySelector("[data-takes]")?.dataset.takes.split(" ");
  if (takes) document.dispatchEvent(new CustomEvent("ltx-deleted", { detail: takes }));
  if (card) setTimeout(() => props.value === told && (props.value = ""), 1000 * card.dataset.seconds);
  else window.ltxScreen?.seekFocus(); // the button had it, perhaps
});
