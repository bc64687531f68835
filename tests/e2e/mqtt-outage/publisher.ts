// A service whose MQTT broker is away: publishes so many events, tells what its memory holds, and connects when it is told to.
import process from "node:process";
import { Broker, realSurroundings } from "@starcast/core";
import { MqttPublisher } from "@starcast/mqtt";
import { SqliteStore } from "@starcast/sqlite";

const [path = "", url = "", count = "0"] = process.argv.slice(2);
const total = Number(count);
const atOnce = 1_000;
const looks = 20;
const note = "x".repeat(300);

const store = await SqliteStore.open(path, { retention: { maxEvents: total + 1, maxBytes: Infinity } });
const broker = new Broker({
  store,
  hotWindow: { maxEvents: 1_000_000, maxBytes: 8_388_608 },
  observe: [],
  // The longest wait there is, so that nobody connects before the receiver is there.
  surroundings: { ...realSurroundings, random: { next: () => 0.999_999 } },
});
const publisher = new MqttPublisher(broker, {
  url,
  topic: "t/{type}",
  connection: { backOff: { minMs: 3_600_000, maxMs: 3_600_000 } },
});
process.on("message", () => publisher.reconnect());

for (let published = 0; published < total; published += atOnce) {
  await Promise.all(
    Array.from({ length: atOnce }, (_, index) => broker.publish("number.counted", { n: published + index, note })),
  );
  if ((published + atOnce) % Math.max(atOnce, total / looks) === 0) tell("published", published + atOnce);
}
tell("ready", total);

const timer = setInterval(() => {
  const offset = publisher.position?.offset ?? 0;
  tell("sent", offset);
  if (offset >= total) clearInterval(timer);
}, 500);

function tell(kind: string, events: number): void {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ kind, events, residentBytes: rss, heldBytes: heapUsed + external, dropped: broker.eventsDropped });
}
