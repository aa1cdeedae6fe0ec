// That clips are deleted is told as long as they can be put back, whatever else is done meanwhile: more are deleted, or the
// page is loaded again.
const KEPT = "ltx-studio.deleted";
let pending = []; // [take, until when it can be put back]
let timer = 0;

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function keep(html) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ html, pending }));
  } catch {
    // a browser that keeps nothing
  }
}

/** Show how many clips can be put back; the card goes with the last of them. */
function tell() {
  clearTimeout(timer);
  const card = element.querySelector(".deleted");
  pending = pending.filter(([, until]) => until > Date.now());
  keep(pending.length ? props.value : "");
  if (!card) return;
  if (!pending.length) {
    window.ltxFocus?.leave(card);
    props.value = "";
    return;
  }
  card.querySelector("[data-takes]").dataset.takes = pending.map(([take]) => take).join(" ");
  card.querySelector("p").textContent =
    pending.length > 1 ? card.dataset.many.replace("{takes}", pending.length) : card.dataset.one;
  timer = setTimeout(tell, Math.min(...pending.map(([, until]) => until)) - Date.now() + 1);
}

watch("value", () => {
  const card = element.querySelector(".deleted");
  if (!card) {
    pending = [];
    tell();
    return;
  }
  const takes = card.querySelector("[data-takes]").dataset.takes.split(" ");
  const isKept = takes.every((take) => pending.some(([each]) => each === take));
  if (!isKept) {
    const until = Date.now() + 1000 * card.dataset.seconds;
    pending = [...pending, ...takes.map((take) => [take, until])];
    document.dispatchEvent(new CustomEvent("ltx-deleted", { detail: takes }));
  }
  tell();
});

const { html, pending: before = [] } = kept();
pending = before.filter(([, until]) => until > Date.now());

/** Show what was told before the page was loaded again. Until Gradio has built the page, it undoes what is set. */
function restore(tries) {
  props.value = html; // which `watch` does not tell of
  setTimeout(() => {
    if (element.querySelector(".deleted")) tell();
    else if (tries) restore(tries - 1);
  }, 300);
}

if (html && pending.length) setTimeout(restore, 300, 10);
