// Follows the stream with nothing but EventSource, and counts: offsets are dense, so what is missing shows.
const show = (id, value) => {
  document.getElementById(id).textContent = String(value);
};

const counts = { events: 0, reconnects: 0, missing: 0, twice: 0 };
let newest = null;

const source = new EventSource("/events?named=false");
source.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.type === "client.connected") show("connection", "connected");
  else if (frame.type === "client.heartbeat")
    show("connection", frame.data.state === undefined ? "connected" : "connected; the gateway cannot reach NATS");
  else if (frame.type === "client.gap") newest = null;
  if (frame.id !== undefined) take(frame);
};
source.onerror = () => {
  counts.reconnects += 1;
  show("reconnects", counts.reconnects);
  show("connection", "lost, coming back");
};

function take({ id, data }) {
  const [epoch, text] = id.split("-");
  const offset = Number(text);
  if (newest !== null && newest.epoch === epoch) {
    if (offset <= newest.offset) counts.twice += 1;
    else counts.missing += offset - newest.offset - 1;
  }
  newest = { epoch, offset };
  counts.events += 1;
  show("events", counts.events);
  show("missing", counts.missing);
  show("twice", counts.twice);
  show("last", `${id} of ${data.node}`);
}

const cards = new Map();

function cardOf(name) {
  const known = cards.get(name);
  if (known !== undefined) return known;
  const item = document.createElement("li");
  const title = document.createElement("strong");
  title.textContent = name;
  const line = document.createElement("p");
  const button = document.createElement("button");
  button.textContent = `Kill ${name}`;
  button.addEventListener(
    "click",
    () => void fetch(`/kill?node=${encodeURIComponent(name)}`, { method: "POST" }).then(look),
  );
  item.append(title, line, button);
  document.getElementById("nodes").append(item);
  cards.set(name, { item, line, button });
  return cards.get(name);
}

async function look() {
  const nodes = await (await fetch("/nodes")).json();
  for (const { name, pid, kills, clients } of nodes) {
    const { item, line, button } = cardOf(name);
    const isDown = pid === null;
    item.className = isDown ? "down" : "";
    button.disabled = isDown;
    line.textContent = isDown
      ? "down, back in a moment"
      : `process ${pid}, ${clients} connected, killed ${kills} times`;
  }
}

void look();
// The demo itself may be stopped while the page stays open.
setInterval(() => void look().catch(() => show("connection", "the demo has ended")), 1_000);
