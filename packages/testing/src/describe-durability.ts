import { describe, expect, it } from "vitest";
import { Broker, MemoryStore } from "@starcast/core";
import { publish, type Receiver, type SubscriberContract } from "./transport-rig.ts";

/** What a transport promises that keeps its place under a name. */
export function describeDurability(
  keep: <Opened extends { close(): unknown }>(opened: Opened) => Opened,
  contract: SubscriberContract,
): void {
  describe("with a place of its own", () => {
    it("delivers, at least once and in order, what was published while it was away", async () => {
      const broker = keep(
        new Broker({ store: new MemoryStore(), observe: [], drain: { spreadMs: 0, deadlineMs: 2_000 } }),
      );
      const first = await contract.start(broker);
      const before = await first.connect();
      const wanted = [...(await publish(broker, 5))].map(({ id }) => id);
      const seen = await distinct(before, 5);
      await first.close();
      wanted.push(...(await publish(broker, 5)).map(({ id }) => id));
      const second = keep(await contract.start(broker));
      const after = await second.connect();
      wanted.push(...(await publish(broker, 5)).map(({ id }) => id));
      for (const id of await distinct(after, 10, seen)) seen.push(id);
      expect(seen).toEqual(wanted);
    });
  });
}

/** So many ids that were not seen before; repeated ones are what "at least once" allows. */
async function distinct(receiver: Receiver, count: number, known: readonly string[] = []): Promise<string[]> {
  const found: string[] = [];
  while (found.length < count) {
    const arrival = await receiver.next();
    if (arrival.kind === "event" && !known.includes(arrival.id) && !found.includes(arrival.id)) found.push(arrival.id);
  }
  return found;
}
