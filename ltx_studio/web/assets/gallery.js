// The grid of takes: which card the keys are at, stars, marks, tags, days, the clip that plays under the pointer. What
// only the server knows it asks for with trigger().
const { make } = window.ltxDom;
const MOST = 2;
const CONTROLS = ["open", "star", "mark", "tag"];
const LETTERS = { f: "star", m: "mark", t: "tag" };
const LINGER = 180; // ms over a card before its clip is asked for
const CLIPS_KEPT = 40;
const DAY = 24 * 3600 * 1000;
const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");
const marked = []; // ids, the first one first; they outlive a search
const clips = new Map(); // what the server has sent of clips, by take
let active = ""; // the one card that Tab stops at
let opened = window.ltxScreen?.shown() ?? "";

const words = () => JSON.parse(element.querySelector(".takes-bar").dataset.words);
const cards = () => [...element.querySelectorAll(".take")];
const cardAt = (node) => node.closest?.(".take");
const control = (card, name) => card.querySelector(`.${name}`);
const write = (where, text) => {
  if (where.textContent !== text) where.textContent = text;
};

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** Bring what the browser alone knows into cards that the server sent. */
function renew() {
  const { today, yesterday, sheet } = words();
  for (const time of element.querySelectorAll(".take time")) write(time, CLOCK.format(new Date(time.dateTime)));
  tellDays(today, yesterday);
  for (const each of element.querySelectorAll(".sheet")) {
    write(each.querySelector(".count"), sheet.replace("{count}", each.querySelectorAll(".take").length));
    offerToDelete(each);
  }
  refresh();
}

const isKept = (card) => control(card, "star").getAttribute("aria-pressed") === "true";

/** The cards of a contact sheet that are not kept, when one is: the others may go. */
function others(sheet) {
  const all = [...sheet.querySelectorAll(".take")];
  return all.some(isKept) ? all.filter((card) => !isKept(card)) : [];
}

function offerToDelete(sheet) {
  const { other, others: many } = words();
  const button = sheet.querySelector(".others");
  const { length } = others(sheet);
  button.hidden = !length;
  write(button, length > 1 ? many.replace("{count}", length) : length ? other : "");
}

/** Show which cards are marked and opened, and which one Tab stops at. */
function refresh() {
  const all = cards();
  const stop = all.find((card) => card.dataset.take === active) ?? all[0];
  for (const card of all) {
    const { take } = card.dataset;
    card.classList.toggle("is-marked", marked.includes(take));
    control(card, "mark").setAttribute("aria-checked", String(marked.includes(take)));
    if (take === opened) control(card, "open").setAttribute("aria-current", "true");
    else control(card, "open").removeAttribute("aria-current");
    for (const name of CONTROLS) control(card, name).tabIndex = card === stop ? 0 : -1;
  }
  showMarks(all.length > 0);
}

/** Show the heading of each day, in the visitor's own time zone. */
function tellDays(today, yesterday) {
  const now = new Date();
  const of = (ms) => new Date(ms).toDateString();
  let last = "";
  for (const item of element.querySelectorAll(".day")) {
    const made = new Date(item.dataset.made);
    const name = { [of(now - DAY)]: yesterday, [of(now)]: today }[made.toDateString()];
    const year = made.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
    const text = name ?? made.toLocaleDateString("en-GB", { day: "numeric", month: "long", ...year });
    item.hidden = text === last;
    last = text;
    write(item.querySelector("h3"), item.hidden ? "" : text);
  }
}

function showMarks(hasCards) {
  const bar = element.querySelector(".takes-bar");
  const told = bar.querySelector(".marks");
  bar.hidden = !hasCards && !marked.length;
  bar.querySelector(".compare").disabled = marked.length < MOST;
  bar.querySelector(".unmark").hidden = !marked.length;
  told.toggleAttribute("data-say", marked.length > 0); // what it says at first is no news
  write(told, marked.length ? told.dataset.some.replace("{count}", marked.length) : told.dataset.none);
}

document.addEventListener("ltx-deleted", ({ detail: takes }) => {
  for (const take of takes) if (marked.includes(take)) marked.splice(marked.indexOf(take), 1);
  refresh();
});

document.addEventListener("ltx-shown", ({ detail: take }) => {
  opened = take;
  refresh();
});

function toggleMark(card) {
  const { take } = card.dataset;
  if (marked.includes(take)) marked.splice(marked.indexOf(take), 1);
  else marked.push(take);
  if (marked.length > MOST) marked.shift();
  refresh();
}

function toggleStar(card) {
  const star = control(card, "star");
  const on = star.getAttribute("aria-pressed") !== "true";
  star.setAttribute("aria-pressed", String(on));
  const sheet = card.closest(".sheet");
  if (sheet) offerToDelete(sheet);
  trigger("favour", { take: card.dataset.take, on: String(on) });
}

function open(card) {
  opened = card.dataset.take;
  refresh();
  trigger("opened", { take: opened });
}

function press(button) {
  const card = cardAt(button);
  const acts = { open, star: toggleStar, mark: toggleMark, tag: openTags };
  if (card) acts[CONTROLS.find((name) => button.matches(`.${name}`))](card);
  else if (button.matches(".more")) trigger("more", { after: cards().at(-1).dataset.number });
  else if (button.matches(".reset")) trigger("reset");
  else if (button.matches(".compare")) trigger("compare", { takes: [...marked] });
  else if (button.matches(".others")) {
    const sheet = button.closest(".sheet");
    const takes = others(sheet).map((each) => each.dataset.take);
    focus([...sheet.querySelectorAll(".take")].find(isKept), "open"); // the button goes
    trigger("others", { takes });
  } else if (button.matches(".unmark")) {
    marked.length = 0;
    refresh();
    focus(cards().find((each) => each.dataset.take === active) ?? cards()[0], "open"); // the button goes
  }
}

function focus(card, name) {
  if (!card) return;
  active = card.dataset.take;
  refresh();
  control(card, name).focus();
}

// ---- the keyboard

/** The nearest card in the row above or below; contact sheets have other columns than the rest. */
function beside(card, all, isDown) {
  const here = card.getBoundingClientRect();
  const places = all.map((each) => ({ each, at: each.getBoundingClientRect() }));
  const beyond = places.filter(({ at }) => (isDown ? at.top >= here.bottom - 1 : at.bottom <= here.top + 1));
  const edge = isDown ? Math.min(...beyond.map(({ at }) => at.top)) : Math.max(...beyond.map(({ at }) => at.top));
  const row = beyond.filter(({ at }) => Math.abs(at.top - edge) < 2);
  const away = ({ at }) => Math.abs(at.left - here.left);
  return row.reduce((best, one) => (best && away(best) <= away(one) ? best : one), undefined)?.each;
}

/** The card that a key leads to; null at an edge, undefined if it is no such key. */
function led(key, card, all) {
  const index = all.indexOf(card);
  if (key === "Home") return all[0];
  if (key === "End") return all.at(-1);
  if (key === "ArrowRight") return all[index + 1] ?? null;
  if (key === "ArrowLeft") return all[index - 1] ?? null;
  if (key === "ArrowDown" || key === "ArrowUp") return beside(card, all, key === "ArrowDown") ?? null;
  return undefined;
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) press(button);
});

element.addEventListener("focusin", (event) => {
  const card = cardAt(event.target);
  if (!card) return;
  if (event.target.matches(":focus-visible")) move(card);
  if (card.dataset.take === active) return;
  active = card.dataset.take;
  refresh();
});

element.addEventListener("focusout", (event) => {
  const card = cardAt(event.target);
  if (card?.dataset.take === moving && card !== cardAt(event.relatedTarget ?? element) && !card.matches(":hover")) rest();
});

element.addEventListener("keydown", (event) => {
  const card = cardAt(event.target);
  if (!card || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const letter = LETTERS[event.key];
  const to = letter ? null : led(event.key, card, cards());
  if (letter) press(control(card, letter));
  else if (to === undefined) return;
  else if (to) focus(to, CONTROLS.find((name) => event.target.matches(`.${name}`)) ?? "open");
  event.preventDefault();
});

// ---- the clip plays, without its sound, in the card that is looked at; it is loaded only then

let moving = ""; // the take whose clip plays, or soon will
let lingering = 0;

function move(card) {
  const { take } = card.dataset;
  if (take === moving || STILL.matches || !card.querySelector("[data-plays]")) return;
  rest();
  moving = take;
  lingering = setTimeout(() => (clips.has(take) ? play(take) : trigger("hovered", { take })), LINGER);
}

function rest() {
  clearTimeout(lingering);
  moving = "";
  for (const video of element.querySelectorAll("video.moving")) {
    video.removeAttribute("src"); // else the browser goes on loading it
    video.load();
    video.remove();
  }
}

function play(take) {
  const tile = cards().find((each) => each.dataset.take === take)?.querySelector(".tile");
  if (!tile || take !== moving) return;
  tile.insertAdjacentHTML("beforeend", clips.get(take));
  const video = tile.querySelector("video");
  video.muted = true; // the attribute counts only in a page's own source
  video.addEventListener("playing", () => video.classList.add("is-on"));
  video.play().catch(() => {}); // it was taken away, or cannot be played: the picture stays
}

element.addEventListener("pointerover", (event) => {
  const card = cardAt(event.target);
  if (event.pointerType !== "touch" && card) move(card);
});
element.addEventListener("pointerout", (event) => {
  if (event.pointerType !== "touch" && cardAt(event.target) !== cardAt(event.relatedTarget ?? element)) rest();
});
watch("clip", () => {
  const { take, html } = props.clip;
  if (!take) return;
  clips.set(take, html);
  if (clips.size > CLIPS_KEPT) clips.delete(clips.keys().next().value);
  play(take);
});

// ---- tags: a dialog of one's own, because a new value of the grid would take a field in a card away

let tagging = null; // the dialog
let tagged = ""; // the take it is about

const tagsOf = (card) => [...card.querySelectorAll(".tags span")].map((each) => each.textContent);

function buildDialog() {
  const { tags, add, done } = words();
  const field = make("input", { type: "text", maxlength: 50, "aria-label": add, list: "known-tags" });
  const form = make(
    "form",
    { method: "dialog" },
    make("h2", { id: "tags-title" }, tags),
    make("ul", { class: "chosen" }),
    make("div", { class: "add" }, field, make("button", { type: "submit", class: "adds" }, add)),
    make("datalist", { id: "known-tags" }),
    make("button", { type: "button", class: "done" }, done),
  );
  const dialog = make("dialog", { class: "tagging", "aria-labelledby": "tags-title" }, form);
  const addTyped = () => {
    const typed = field.value.split(",").map((each) => each.trim().replace(/\s+/g, " ")).filter(Boolean);
    field.value = "";
    if (typed.length) setTags([...new Set([...shownTags(), ...typed])]);
    return typed.length;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!addTyped()) dialog.close();
    field.focus();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target.closest(".done")) {
      addTyped();
      dialog.close();
    }
    const gone = event.target.closest("[data-tag]");
    if (!gone) return;
    setTags(shownTags().filter((each) => each !== gone.dataset.tag));
    field.focus();
  });
  dialog.addEventListener("close", () => control(cards().find((each) => each.dataset.take === tagged) ?? dialog, "tag")?.focus());
  element.parentElement.append(dialog);
  return dialog;
}

const shownTags = () => [...tagging.querySelectorAll("[data-tag]")].map((each) => each.dataset.tag);

function drawTags(tags) {
  const { remove } = words();
  const items = tags.map((tag) => {
    const button = make("button", { type: "button", "data-tag": tag, "aria-label": remove.replace("{tag}", tag) }, "×");
    return make("li", {}, make("span", { dir: "auto" }, tag), button);
  });
  tagging.querySelector(".chosen").replaceChildren(...items);
}

let sent = 0; // changes of the open take's tags that the server has not answered

function setTags(tags) {
  sent += 1;
  drawTags(tags);
  trigger("tag", { take: tagged, tags });
}

function openTags(card) {
  tagging ??= buildDialog();
  tagged = card.dataset.take;
  sent = 0;
  drawTags(tagsOf(card));
  const known = [...new Set(cards().flatMap(tagsOf))].map((tag) => make("option", { value: tag }));
  tagging.querySelector("datalist").replaceChildren(...known);
  tagging.showModal();
  tagging.querySelector("input").focus();
}

watch("tagged", () => {
  const { take, tags } = props.tagged;
  if (take === tagged) sent = Math.max(0, sent - 1);
  const card = cards().find((each) => each.dataset.take === take);
  if (!card) return;
  card.querySelector(".tags").replaceChildren(...tags.map((tag) => make("span", {}, tag)));
  if (tagging?.open && tagged === take && !sent) drawTags(tags); // an older answer lacks the newest tags
});

// ---- new values from the server

// a take that came in before the one that has the focus has taken its element: the focus goes after its take
watch("value", () => {
  const held = element.contains(document.activeElement) && cardAt(document.activeElement);
  const name = held && CONTROLS.find((each) => document.activeElement.matches(`.${each}`));
  const card = held && held.dataset.take !== active && cards().find((each) => each.dataset.take === active);
  renew();
  const count = element.querySelector(".unseen")?.textContent;
  const isSearched = document.activeElement.closest("#panel-history") && !element.contains(document.activeElement);
  if (count && isSearched) window.ltxAnnouncer.say(count);
  if (card) control(card, name).focus({ preventScroll: true });
});

watch("page", () => {
  const { after, html } = props.page;
  const last = cards().at(-1);
  if (!last || last.dataset.number !== after) return; // of a search that is over
  const hadFocus = element.contains(document.activeElement);
  element.querySelector(".next")?.remove();
  const sheet = last.closest(".sheet");
  element.querySelector(".takes").insertAdjacentHTML("beforeend", html);
  if (sheet) join(sheet);
  renew();
  const all = cards();
  if (hadFocus) focus(all[all.indexOf(last) + 1], "open");
});

/** Bring the rest of a batch, which came with the next page, onto the contact sheet that it began on. */
function join(sheet) {
  const day = sheet.nextElementSibling;
  const rest = day?.nextElementSibling;
  if (rest?.dataset.batch !== sheet.dataset.batch) return;
  sheet.querySelector(".shots").append(...rest.querySelectorAll(".take"));
  day.remove();
  rest.remove();
}

renew();
