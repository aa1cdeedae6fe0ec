// The grid of takes: which card the keys are at, stars, marks. What only the server knows it asks for with trigger().
const MOST = 2;
const CONTROLS = ["open", "star", "mark"];
const LETTERS = { f: "star", m: "mark" };
const marked = []; // ids, the first one first; they outlive a search
let active = ""; // the one card that Tab stops at
let opened = "";

const cards = () => [...element.querySelectorAll(".take")];
const cardAt = (node) => node.closest(".take");
const control = (card, name) => card.querySelector(`.${name}`);

/** Bring what the browser alone knows into cards that the server sent. */
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
  for (const time of element.querySelectorAll("time")) tellTime(time);
  showMarks(all.length > 0);
}

/** In the visitor's own time zone, which the server does not know. */
function tellTime(time) {
  const format = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  const text = new Date(time.dateTime).toLocaleString("en-GB", format);
  if (time.textContent !== text) time.textContent = text;
}

function showMarks(hasCards) {
  const bar = element.querySelector(".takes-bar");
  const told = bar.querySelector(".marks");
  const text = marked.length ? told.dataset.some.replace("{count}", marked.length) : told.dataset.none;
  bar.hidden = !hasCards && !marked.length;
  bar.querySelector(".compare").disabled = marked.length < MOST;
  bar.querySelector(".unmark").hidden = !marked.length;
  if (told.textContent !== text) told.textContent = text;
}

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
  trigger("favour", { take: card.dataset.take, on: String(on) });
}

function open(card) {
  opened = card.dataset.take;
  refresh();
  trigger("opened", { take: opened });
}

function press(button) {
  const card = cardAt(button);
  if (card) ({ open, star: toggleStar, mark: toggleMark })[CONTROLS.find((name) => button.matches(`.${name}`))](card);
  else if (button.matches(".more")) trigger("more", { after: cards().at(-1).dataset.number });
  else if (button.matches(".reset")) trigger("reset");
  else if (button.matches(".compare")) trigger("compare", { takes: [...marked] });
  else if (button.matches(".unmark")) {
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

/** Where a key leads from the card at `index`, or nowhere. */
function led(key, index, all) {
  const columns = all.filter((card) => card.offsetTop === all[0].offsetTop).length;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  if (key === "Home") return 0;
  if (key === "End") return all.length - 1;
  return key in steps ? index + steps[key] : undefined;
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) press(button);
});

element.addEventListener("focusin", (event) => {
  const card = cardAt(event.target);
  if (!card || card.dataset.take === active) return;
  active = card.dataset.take;
  refresh();
});

element.addEventListener("keydown", (event) => {
  const card = cardAt(event.target);
  if (!card || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const letter = LETTERS[event.key];
  const all = cards();
  const to = led(event.key, all.indexOf(card), all);
  if (letter) press(control(card, letter));
  else if (to === undefined) return;
  else if (all[to]) focus(all[to], CONTROLS.find((name) => event.target.matches(`.${name}`)) ?? "open");
  event.preventDefault();
});

// a take that came in before the one that has the focus has taken its element: the focus goes after its take
watch("value", () => {
  const held = element.contains(document.activeElement) && cardAt(document.activeElement);
  const name = held && CONTROLS.find((each) => document.activeElement.matches(`.${each}`));
  const card = held && held.dataset.take !== active && cards().find((each) => each.dataset.take === active);
  refresh();
  if (card) control(card, name).focus({ preventScroll: true });
});

watch("page", () => {
  const { after, html } = props.page;
  const last = cards().at(-1);
  if (!last || last.dataset.number !== after) return; // of a search that is over
  const hadFocus = element.contains(document.activeElement);
  element.querySelector(".next")?.remove();
  element.querySelector(".takes").insertAdjacentHTML("beforeend", html);
  refresh();
  const first = last.nextElementSibling;
  if (hadFocus && first?.matches(".take")) focus(first, "open");
});

refresh();
