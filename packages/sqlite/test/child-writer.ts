// A process that writes as fast as it can and says, line by line, what was acknowledged, until it is killed or done.
import { Buffer } from "node:buffer";
import { writeSync } from "node:fs";
import process from "node:process";
import type { Appended, DeliveryDraft } from "@starcast/core";
import { draft, seededRandom } from "@starcast/testing";
import { SqliteStore } from "../src/index.ts";

const [path = "", durability = "process", run = "0", commits = "Infinity", again = ""] = process.argv.slice(2);
const store = await SqliteStore.open(path, {
  durability: durability === "disk" ? "disk" : "process",
  bootId: "boot-1",
});
const random = seededRandom(Number(run));
say(`ready ${store.log.epoch} ${store.log.head}`);

// What was published before the kill, acknowledged or not: a publisher that asks again gets the same events.
for (const payload of again === "" ? [] : again.split(",")) {
  const appended = await store.log.append([draft(payload, { dedupeKey: payload })]);
  tell([payload], appended);
}
const lease = await store.checkpoints.acquire(`delivered-${run}`, 60_000);
if (lease === null) throw new Error("Expected a lease, got null");
for (let commit = 0, number = 0; commit < Number(commits); commit += 1) {
  // Some in one list, some in several of one turn.
  const lists = Array.from({ length: random.integer(1, 4) }, () =>
    Array.from({ length: random.integer(1, 5) }, () => `${run}-${(number += 1)}`),
  );
  const appended = await Promise.all(
    lists.map(async (payloads) => {
      say(`published ${payloads.join(",")}`);
      const result = await store.log.append(payloads.map((payload) => draft(payload, { dedupeKey: payload })));
      tell(payloads, result);
      return result;
    }),
  );
  const position = appended.at(-1)?.at(-1)?.position ?? { epoch: "", offset: 0 };
  await store.deliveries.put(appended.flat().map(deliveryOf), { lease, position });
}
await store.close();
say("closed");

/** Said when this returns: who listens may be slower than the store. */
function say(line: string): void {
  for (let bytes = Buffer.from(`${line}\n`); bytes.length > 0;) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
}

function tell(payloads: readonly string[], appended: readonly Appended[]): void {
  payloads.forEach((payload, index) => {
    const { offset, epoch } = appended[index]?.position ?? { offset: 0, epoch: "" };
    say(`acknowledged ${epoch} ${offset} ${payload}`);
  });
}

function deliveryOf({ position, timestamp }: Appended): DeliveryDraft {
  const id = `${position.epoch}-${position.offset}`;
  const event = { id, type: "test.happened", subject: undefined, timestamp, json: `"${id}"` };
  return { endpointId: `endpoint-${run}`, event, dueAt: 0, orderKey: undefined };
}
