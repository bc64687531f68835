import { describe, expect, it } from "vitest";
import { formatPosition } from "@starcast/core";
import { ids, publish, take, type StartTransport } from "./transport-rig.ts";

/** What a receiver is promised that comes back. */
export function describeResuming(start: StartTransport): void {
  describe("for a receiver that comes back", () => {
    it("continues exactly after the id it saw last", async () => {
      const { broker, rig, tap } = await start();
      const first = await rig.connect();
      const published = [...(await publish(broker, 5))];
      const seen = ids(await take(first, 3)).at(-1);
      await first.disconnect();
      published.push(...(await publish(broker, 4)));
      const second = await rig.connect({ after: String(seen) });
      published.push(...(await publish(broker, 2)));
      expect(ids(await take(second, 8))).toEqual(published.slice(3).map(({ id }) => id));
      expect(tap.violations).toEqual([]);
    });

    it("loses nothing and repeats nothing over many disconnects", async () => {
      const { broker, rig } = await start();
      const seen: unknown[] = [];
      const wanted: string[] = [];
      let after: string | undefined;
      for (let round = 0; round < 8; round += 1) {
        const receiver = await rig.connect({ after });
        wanted.push(...(await publish(broker, 5)).map(({ id }) => id));
        seen.push(...ids(await take(receiver, 1 + (round % 5))));
        after = String(seen.at(-1));
        await receiver.disconnect();
      }
      const last = await rig.connect({ after });
      seen.push(...ids(await take(last, wanted.length - seen.length)));
      expect(seen).toEqual(wanted);
    });

    it("tells a gap with both ends when what it missed is gone, then goes on behind it", async () => {
      const { broker, rig } = await start(20);
      const [first] = await publish(broker, 60);
      const receiver = await rig.connect({ after: first?.id });
      const { epoch } = broker.position;
      expect(await receiver.next()).toEqual({
        kind: "gap",
        after: first?.id,
        through: formatPosition({ epoch, offset: 40 }),
        reason: "trimmed",
      });
      expect(ids(await take(receiver, 20))).toEqual(
        Array.from({ length: 20 }, (_, index) => formatPosition({ epoch, offset: 41 + index })),
      );
    });

    it.each([
      ["of another epoch", "otherepoch-3", "otherepoch-3", "epoch"],
      ["that is none", "no such place!", null, "unknown"],
      ["of another kind of id", "42", null, "unknown"],
    ])("tells a gap for a position %s, and never resumes silently elsewhere", async (_, after, told, reason) => {
      const { broker, rig } = await start();
      await publish(broker, 3);
      const receiver = await rig.connect({ after });
      expect(await receiver.next()).toMatchObject({ kind: "gap", after: told, reason });
      expect(await take(receiver, 3)).toHaveLength(3);
    });

    it("tells a gap for a position of the future", async () => {
      const { broker, rig } = await start();
      await publish(broker, 3);
      const future = formatPosition({ ...broker.position, offset: 1_000 });
      const receiver = await rig.connect({ after: future });
      expect(await receiver.next()).toMatchObject({ kind: "gap", after: future, reason: "unknown" });
      expect(await take(receiver, 3)).toHaveLength(3);
    });
  });
}
