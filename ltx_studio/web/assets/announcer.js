// What screen readers read out: one live region for the whole page, and a message every two seconds at most. Elements with
// `data-say` are read when they change, by what the attribute says or else by their text.
(() => {
  if (window.ltxAnnouncer) return;

  const SILENCE = 2000; // milliseconds between two messages
  const PAUSE = 100; // in which an update comes to an end
  const OPENING = 5000; // what appears while the page opens is no news
  const MOST = 2; // of the messages that have no element
  const ACTS = ["keydown", "pointerdown", "click", "drop"];

  const region = window.ltxDom.make("p", { id: "announcer", class: "unseen", role: "status" });
  let known = new Set(); // what the elements said at the last look
  let others = []; // messages that have no element
  let ofForm = ""; // the last of what the open form makes
  let isOpening = true;
  let last = -SILENCE;
  let due = 0;

  const textOf = (element) => (element.dataset.say || element.textContent).trim();
  // on a phone the result may be behind another tab, and is news nevertheless
  const isRead = (element) => element.closest("#result") || element.getClientRects().length > 0;
  const ended = (text) => (/\p{P}$/u.test(text) ? text : `${text}.`);

  function look() {
    due = 0;
    const elements = [...document.querySelectorAll("[data-say]")].filter(textOf);
    const isFresh = (each) => !isOpening && !known.has(textOf(each)) && isRead(each);
    const fresh = elements.filter(isFresh).map(textOf);
    known = new Set(elements.map(textOf));
    const messages = [...new Set([...fresh, ...others, ...(ofForm ? [ofForm] : [])])];
    [others, ofForm] = [[], ""];
    if (!messages.length) return;
    region.textContent = messages.map(ended).join(" ");
    last = performance.now();
  }

  function lookSoon() {
    due ||= setTimeout(look, Math.max(PAUSE, last + SILENCE - performance.now()));
  }

  function open() {
    if (!isOpening) return;
    clearTimeout(due);
    look();
    isOpening = false;
  }
  for (const act of ACTS) document.addEventListener(act, open, { capture: true, once: true });
  window.addEventListener("load", () => setTimeout(open, OPENING));

  const HOW = { childList: true, characterData: true, subtree: true, attributeFilter: ["data-say", "hidden"] };
  const watcher = new MutationObserver((changes) => {
    if (!isOpening && changes.some(({ target }) => !region.contains(target))) lookSoon();
  });
  watcher.observe(document.documentElement, HOW);
  const begin = () => document.body.append(region);
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);

  window.ltxAnnouncer = {
    /** Have something read out, in its turn. */
    say(text) {
      others = [...others.filter((each) => each !== text), text].slice(-MOST);
      lookSoon();
    },
    /** The line before Generate has changed: it is read out to who works in its form. */
    sayOfForm(element) {
      const made = element.querySelector(".made")?.textContent;
      if (!made || !document.activeElement.closest("#forms")?.contains(element)) return;
      ofForm = made;
      lookSoon();
    },
  };
})();
