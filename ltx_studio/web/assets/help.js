// A question mark beside the title of each field that says what it is for; a press shows the sentence.
(() => {
  if (window.ltxHelp) return;
  window.ltxHelp = true;

  const byId = (id) => document.getElementById(id);
  let isDue = false;

  function mark() {
    isDue = false;
    for (const title of document.querySelectorAll(".form-of-mode .has-info:not([data-help])")) {
      title.dataset.help = "yes";
      const button = document.createElement("button");
      button.type = "button";
      button.className = "help";
      button.textContent = "?";
      button.setAttribute("aria-label", `${byId("help-open")?.textContent ?? "?"}: ${title.firstChild?.textContent.trim()}`);
      button.setAttribute("aria-expanded", "false");
      button.addEventListener("click", (event) => {
        event.preventDefault(); // a title is a label
        const isOpen = title.closest(".block").classList.toggle("helped");
        button.setAttribute("aria-expanded", String(isOpen));
      });
      title.append(button);
    }
  }

  const begin = () =>
    new MutationObserver(() => {
      if (!isDue) requestAnimationFrame(mark);
      isDue = true;
    }).observe(document.body, { childList: true, subtree: true });
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})();
