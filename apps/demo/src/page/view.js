import { describeEvent } from "./describe-event.js";

const moods = { live: "good", connecting: "", waiting: "warn", stalled: "warn", dropped: "bad", stopped: "bad" };
const stateTexts = {
  live: "live",
  connecting: "connecting",
  waiting: "waiting",
  stalled: "not reading",
  dropped: "dropped",
  stopped: "stopped",
};

/** Draws one transport: its column and its lane in the log. Text only; nothing of an event is ever markup. */
export class View {
  #column;
  #lane;
  #shown = null;

  constructor({ key, name, about, buttons }) {
    this.#column = fromTemplate("column");
    this.#lane = fromTemplate("lane");
    for (const element of [this.#column, this.#lane]) element.dataset.transport = key;
    set(this.#column, "h2", name);
    set(this.#column, ".about", about);
    set(this.#lane, ".lane-name", name);
    this.#column.querySelector(".buttons").append(...buttons);
    document.getElementById("columns").append(this.#column);
    document.getElementById("lanes").append(this.#lane);
  }

  draw({ books, state }, { head, tail }) {
    const behind = head === null ? 0 : Math.max(0, head - (books.offset ?? 0));
    this.#drawNumbers(books, behind, state);
    this.#drawLane(behind, head, tail);
    if (books.recent[0] !== this.#shown) this.#drawEvents(books.recent);
  }

  #drawNumbers(books, behind, state) {
    const label = this.#column.querySelector(".state");
    label.textContent = state === "live" && behind > 50 ? "catching up" : stateTexts[state];
    label.dataset.mood = state === "live" && behind > 50 ? "warn" : moods[state];
    this.#number("received", books.received);
    this.#number("behind", behind, behind > 50 ? "warn" : "");
    this.#number("repeated", books.repeated);
    this.#number("lost", books.lost + books.told, books.lost + books.told > 0 ? "bad" : "");
    set(this.#column, ".position code", books.position ?? "–");
  }

  #number(name, value, mood = "") {
    const element = this.#column.querySelector(`[data-number="${name}"]`);
    element.textContent = value.toLocaleString("en");
    element.dataset.mood = mood;
  }

  #drawLane(behind, head, tail) {
    const come = head === null || head <= tail ? 1 : Math.max(0, 1 - behind / (head - tail));
    this.#lane.querySelector(".lane-fill").style.setProperty("--come", come.toFixed(4));
    set(this.#lane, ".lane-behind", behind === 0 ? "at head" : `−${behind.toLocaleString("en")}`);
  }

  #drawEvents(recent) {
    this.#shown = recent[0];
    this.#column.querySelector(".events").replaceChildren(...recent.map(drawEvent));
  }
}

function drawEvent(event) {
  const { kind, mark, provider, name, details } = describeEvent(event);
  const row = fromTemplate("event");
  row.dataset.kind = kind;
  set(row, ".mark", mark);
  set(row, ".provider", provider);
  set(row, ".name", name);
  set(row, ".offset", event.id === undefined ? "" : event.id.slice(event.id.lastIndexOf("-") + 1));
  const line = row.querySelector(".details");
  for (const [index, detail] of details.entries()) line.append(...(index > 0 ? [" · "] : []), ...drawDetail(detail));
  row.title = `${event.type} ${event.subject ?? ""}: ${line.textContent}`;
  return row;
}

function drawDetail({ text, label, from, to }) {
  if (text !== undefined) return [text];
  return [`${label} `, element("s", from), " → ", element("b", to)];
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function fromTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

function set(root, selector, text) {
  root.querySelector(selector).textContent = text;
}
