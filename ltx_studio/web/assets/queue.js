// Draws the queue into gr.HTML from its value. All is set as text, so no prompt can become markup or code. Rows and
// buttons are known by their job and what they do: they are changed where they stand, so what has focus keeps it.

const board = element.querySelector(".line");
const head = add(board, "div", "line-head");
const counts = add(head, "p", "line-counts");
const pausing = add(head, "div", "line-acts");
const empty = add(board, "p", "line-empty");
const list = add(board, "ul", "line-rows");
const rows = new Map();

function add(parent, tag, classes) {
  const made = document.createElement(tag);
  made.className = classes;
  parent.append(made);
  return made;
}

function write(where, text) {
  if (where.textContent !== text) where.textContent = text;
  where.hidden = !text;
}

function mark(where, name, value) {
  if (value === "" || value === null || value === false) where.removeAttribute(name);
  else if (where.getAttribute(name) !== String(value)) where.setAttribute(name, value);
}

// `commands` in what an error says are set as code, as on its card
function writeProse(where, text) {
  if (where.dataset.text === text) return;
  where.dataset.text = text;
  where.hidden = !text;
  where.replaceChildren(
    ...text.split("`").map((part, index) => {
      if (index % 2 === 0) return document.createTextNode(part);
      const code = document.createElement("code");
      code.textContent = part;
      return code;
    }),
  );
}

// The children of `parent` become these, in this order; those that stay are moved only when they must be
function order(parent, wanted) {
  for (const each of [...parent.children]) if (!wanted.includes(each)) each.remove();
  wanted.forEach((each, index) => {
    if (parent.children[index] !== each) parent.insertBefore(each, parent.children[index] ?? null);
  });
}

function drawActs(parent, id, acts) {
  const there = new Map([...parent.children].map((each) => [each.dataset.act, each]));
  const wanted = acts.map((act) => {
    const button = there.get(act.act) ?? document.createElement("button");
    button.type = "button";
    button.dataset.act = act.act;
    button.dataset.job = id;
    write(button, act.label);
    mark(button, "aria-label", act.says);
    mark(button, "aria-disabled", act.off); // not `disabled`, which would take the focus away
    return button;
  });
  order(parent, wanted);
}

function newRow() {
  const root = document.createElement("li");
  const row = { root };
  row.name = add(root, "div", "line-name");
  row.about = add(root, "p", "line-about");
  row.bar = add(root, "progress", "");
  row.bar.max = 1;
  row.status = add(root, "p", "line-status");
  row.hint = add(root, "p", "line-hint");
  row.acts = add(root, "div", "line-acts");
  return row;
}

function drawRow(told) {
  const row = rows.get(told.id) ?? newRow();
  rows.set(told.id, row);
  row.root.className = `line-row line-${told.kind}`;
  drawName(row, told);
  write(row.about, told.about);
  row.bar.hidden = told.bar === null;
  if (told.bar !== null) row.bar.value = told.bar;
  mark(row.bar, "aria-label", told.bar_says);
  writeProse(row.status, told.status);
  writeProse(row.hint, told.hint);
  drawActs(row.acts, told.id, told.acts);
  return row.root;
}

function drawName(row, told) {
  if (!told.show) return write(row.name, told.name);
  const button = row.name.querySelector("button") ?? add(row.name, "button", "");
  button.type = "button";
  button.dataset.show = told.id;
  write(button, told.name);
  mark(button, "aria-label", told.show);
  mark(button, "aria-current", told.chosen);
}

function draw() {
  const told = props.value;
  const held = board.contains(document.activeElement) ? document.activeElement : null;
  const heldRow = held?.closest(".line-row");
  mark(board, "aria-label", told.label);
  write(counts, told.paused || told.counts);
  counts.classList.toggle("line-paused", Boolean(told.paused));
  drawActs(pausing, "", told.pause ? [told.pause] : []);
  head.hidden = !told.counts && !told.pause;
  write(empty, told.empty);
  const ids = new Set(told.rows.map((each) => each.id));
  for (const id of [...rows.keys()]) if (!ids.has(id)) rows.delete(id);
  order(list, told.rows.map(drawRow));
  if (held) keepFocus(held, heldRow);
}

// A row that moves loses the focus for a moment; of a button that is gone its row's name has it, else the board
function keepFocus(held, row) {
  if (document.activeElement === held && held.isConnected) return;
  const next = held.isConnected ? held : (row?.isConnected && row.querySelector("button")) || pausing.querySelector("button");
  (next || board).focus({ preventScroll: true });
}

board.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.getAttribute("aria-disabled")) return;
  if (button.dataset.show) trigger("show", { job: button.dataset.show });
  else trigger("act", { act: button.dataset.act, job: button.dataset.job });
});

watch("value", draw);
draw();
