// The events of a piece of HTML: an element with data-act triggers the event of that name, once for each click.
element.addEventListener("click", (event) => {
  const act = event.target.closest("[data-act]");
  if (!act || event.detail > 1 || !ACTS.includes(act.dataset.act)) return;
  trigger(act.dataset.act, { ...act.dataset });
});
window.ltxScreen?.renew(element);
watch("value", () => window.ltxScreen?.renew(element));
