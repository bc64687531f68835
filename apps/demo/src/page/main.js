import { LiveColumn } from "./live-column.js";
import { ReportedColumn } from "./reported-column.js";
import { SseConnection } from "./sse-connection.js";
import { followStatus, order } from "./status.js";
import { View } from "./view.js";
import { WebSocketConnection } from "./websocket-connection.js";

const log = { head: null, tail: 0 };
let isDrawn = true;

const websocket = new LiveColumn((after, on) => new WebSocketConnection(after, on), changed);
const sse = new LiveColumn((after, on) => new SseConnection(after, on), changed);
const mqtt = new ReportedColumn();
const webhooks = new ReportedColumn();

const columns = [
  liveColumn(
    "websocket",
    "WebSocket",
    "this page's own connection to /events",
    websocket,
    WebSocketConnection.canStall,
  ),
  liveColumn("sse", "SSE", "this page's own stream from /events", sse, true),
  reportedColumn("mqtt", "MQTT", "a device behind an MQTT broker, QoS 1", mqtt, "MQTT broker"),
  reportedColumn("webhooks", "Webhooks", "an endpoint that verifies every signature", webhooks, "endpoint"),
];

const burst = document.getElementById("burst");
burst.addEventListener("click", () => void ask({ what: "catalog", action: "burst" }));

followStatus((status) => {
  log.head = status.head;
  // What is shown of the log: a few hundred events, and everything somebody still waits for.
  log.tail = Math.max(0, Math.min(status.head - 300, ...columns.map(({ column }) => column.books.offset ?? 0)));
  mqtt.take(status.receivers.mqtt);
  webhooks.take(status.receivers.webhooks);
  text("models", status.models.toLocaleString("en"));
  text("published", status.head.toLocaleString("en"));
  text("rate", status.perSecond.toLocaleString("en"));
  text("head", status.position);
  text("notice", status.notice);
  burst.disabled = !status.canBurst;
  changed();
});

function liveColumn(key, name, about, column, canStall) {
  const drop = button("Drop", () => (column.isUp ? column.drop() : column.resume()));
  const stall = button("Stall", () => (column.state === "stalled" ? column.unstall() : column.stall()));
  const view = new View({ key, name, about, buttons: [drop, stall] });
  const update = () => {
    drop.textContent = column.isUp ? "Drop" : "Resume";
    drop.setAttribute("aria-pressed", String(!column.isUp));
    stall.textContent = column.state === "stalled" ? "Read on" : "Stall";
    stall.setAttribute("aria-pressed", String(column.state === "stalled"));
    stall.disabled = !canStall || (column.state !== "live" && column.state !== "stalled");
  };
  return { column, view, update };
}

function reportedColumn(key, name, about, column, what) {
  const toggle = button(`Stop the ${what}`, () => void ask({ what: key, action: column.isUp ? "stop" : "start" }));
  const view = new View({ key, name, about, buttons: [toggle] });
  const update = () => {
    toggle.textContent = `${column.isUp ? "Stop" : "Start"} the ${what}`;
    toggle.setAttribute("aria-pressed", String(!column.isUp));
  };
  return { column, view, update };
}

async function ask(wanted) {
  const problem = await order(wanted);
  if (problem !== null) text("notice", problem);
}

// However many events come, the page is drawn once per frame.
function changed() {
  if (!isDrawn) return;
  isDrawn = false;
  requestAnimationFrame(() => {
    isDrawn = true;
    for (const { column, view, update } of columns) {
      view.draw(column, log);
      update();
    }
  });
}

function button(label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.addEventListener("click", act);
  return made;
}

function text(id, value) {
  document.getElementById(id).textContent = value;
}
