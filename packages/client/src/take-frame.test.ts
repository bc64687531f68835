import type { EventFrame } from "@starcast/core/wire";
import { forEachSeed } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import type { ClientGap } from "./client-state.ts";
import { takeFrame } from "./take-frame.ts";

const timestamp = "2026-01-01T00:00:00.000Z";
const eventAt = (id: string): EventFrame => ({ id, type: "number.drawn", timestamp, data: null });
const greeting = (position: string): Parameters<typeof takeFrame>[1] => ({
  type: "client.connected",
  timestamp,
  data: { clientId: "c", position, resumed: false, heartbeatMs: 15_000 },
});
const gapOf = (gap: ClientGap): Parameters<typeof takeFrame>[1] =>
  ({ type: "client.gap", timestamp, data: gap }) as Parameters<typeof takeFrame>[1];

describe("a frame, for whoever stands at a place", () => {
  it("is an event once, however often and from wherever it is sent again", async () => {
    await forEachSeed(50, (random) => {
      let place: string | null = "e-0";
      const taken: string[] = [];
      for (let sent = 0, next = 1; sent < 200; sent += 1) {
        // A connection that begins anew repeats some, and never leaves one out.
        if (random.chance(0.1)) next = random.integer(1, next);
        const result = takeFrame(place, eventAt(`e-${next}`), false);
        next += 1;
        place = result.place;
        expect(result.gap).toBe(null);
        if (result.event !== null) taken.push(result.event.id);
      }
      expect(taken).toEqual(taken.map((_, index) => `e-${index + 1}`));
      expect(place).toBe(taken.at(-1));
    });
  });

  it("moves the place to the end of a gap", () => {
    const gap = { after: "e-3", through: "e-9", reason: "trimmed" };
    expect(takeFrame("e-3", gapOf(gap), false)).toEqual({ place: "e-9", gap, event: null });
  });

  it("is a gap and an event when the numbering is another and nobody said so", () => {
    expect(takeFrame("e-3", eventAt("f-7"), false)).toEqual({
      place: "f-7",
      gap: { after: "e-3", through: "f-6", reason: "epoch" },
      event: eventAt("f-7"),
    });
  });

  it("says where the client stands when it greets one that starts at the head, and no other", () => {
    expect(takeFrame(null, greeting("e-5"), true).place).toBe("e-5");
    expect(takeFrame(null, greeting("e-5"), false).place).toBe(null);
    expect(takeFrame("e-2", greeting("e-5"), true).place).toBe("e-2");
  });

  it("moves the place by a heartbeat, forward only", () => {
    const heartbeat = (position: string): Parameters<typeof takeFrame>[1] => ({
      type: "client.heartbeat",
      timestamp,
      data: { position },
    });
    expect(takeFrame("e-2", heartbeat("e-5"), false).place).toBe("e-5");
    expect(takeFrame("e-5", heartbeat("e-2"), false).place).toBe("e-5");
    expect(takeFrame("e-5", heartbeat("f-9"), false).place).toBe("e-5");
  });
});
