import { describe, expect, it } from "vitest";
import { seeded } from "../../test/seeded.ts";
import { LogEvent } from "../event/log-event.ts";
import { maxPieceBytes } from "./batch.ts";
import type { Encoding } from "./encoding.ts";
import { EventRun } from "./run.ts";
import { sharedBytes } from "./side-by-side.ts";

describe("the pieces of a run", () => {
  it("are the events' bytes without a seam, cut on events, as large as allowed, wherever one starts", () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = seeded(seed);
      const { run, frames } = runOf(random);
      const encoding = framing(frames);
      // Several subscribers, in any order, from any place.
      for (let subscriber = 0; subscriber < 5; subscriber += 1) {
        const start = random(run.events.length);
        const batch = run.batchAfter((run.events[start]?.offset ?? 1) - 1);
        let walked = 0;
        while (walked < batch.events.length) {
          const piece = batch.piece(encoding, walked);
          const own = frames.slice(start + walked, start + walked + piece.count);
          expect(piece.count, `seed ${seed}`).toBeGreaterThan(0);
          expect(Buffer.concat(own).equals(piece.bytes), `seed ${seed}`).toBe(true);
          if (piece.count > 1) expect(piece.bytes.length, `seed ${seed}`).toBeLessThanOrEqual(maxPieceBytes);
          walked += piece.count;
        }
        expect(walked, `seed ${seed}`).toBe(batch.events.length);
        expect(Buffer.concat(frames.slice(start)).equals(batch.bytes(encoding)), `seed ${seed}`).toBe(true);
      }
    }
  });

  it("share their memory: who starts inside a piece gets the end of it, who starts at it gets the same object", () => {
    const random = seeded(7);
    const { run, frames } = runOf(random);
    const encoding = framing(frames);
    const whole = run.batchAfter(0);
    for (let index = 0; index < run.events.length;) {
      const piece = whole.piece(encoding, index);
      expect(run.batchAfter(0).piece(encoding, index)).toBe(piece);
      for (let inside = 1; inside < piece.count; inside += 1) {
        const suffix = run.batchAfter(run.events[index + inside - 1]?.offset ?? 0).piece(encoding, 0);
        expect(suffix.bytes.buffer).toBe(piece.bytes.buffer);
        expect(suffix.count).toBe(piece.count - inside);
      }
      index += piece.count;
    }
  });

  it("are as large as the run allows: the rest is the same", () => {
    const frames = [6_000, 6_000, 6_000, 20_000, 100].map((size, index) => Buffer.alloc(size, index));
    const batch = runOfFrames(frames, 16_384).run.batchAfter(0);
    const counts = [0, 2, 3, 4].map((index) => batch.piece(framing(frames), index).count);
    expect(counts).toEqual([2, 1, 1, 1]);
    expect(Buffer.concat(frames).equals(batch.bytes(framing(frames)))).toBe(true);
  });

  it("keep no more alive than a piece may be long, where a small event is one by itself", () => {
    const frames = [200, 20_000, 200].map((size) => sharedBytes(size));
    const keptBytes = (pieceBytes: number): number[] => {
      const batch = runOfFrames(frames, pieceBytes).run.batchAfter(0);
      return [0, 1, 2].map((index) => batch.piece(framing(frames), index).bytes.buffer.byteLength);
    };
    expect(keptBytes(16_384)).toEqual([200, 20_000, 200]);
    // A live event is written as it is: the block it lies in is as long as a piece may be.
    expect(runOfFrames(frames.slice(0, 1)).run.batchAfter(0).piece(framing(frames), 0).bytes).toBe(frames[0]);
    expect(frames[0]?.buffer.byteLength).toBe(maxPieceBytes);
  });

  it("lie on a grid of their own per encoding", () => {
    const { run, frames } = runOf(seeded(3));
    const short: Encoding = { name: "short", encode: () => new Uint8Array(1) };
    expect(run.batchAfter(0).piece(short, 0).count).toBe(run.events.length);
    expect(run.batchAfter(0).piece(framing(frames), 0).count).toBeLessThan(run.events.length);
  });

  it("hold one event alone that is larger than a piece, and never a second", () => {
    const frames = [10, maxPieceBytes + 1, 10, maxPieceBytes, 1].map((size) => Buffer.alloc(size, size % 251));
    const { run } = runOfFrames(frames);
    const batch = run.batchAfter(0);
    const counts: number[] = [];
    for (let index = 0; index < frames.length;) {
      const { count } = batch.piece(framing(frames), index);
      counts.push(count);
      index += count;
    }
    expect(counts).toEqual([1, 1, 1, 1, 1]);
  });
});

function runOf(random: (below: number) => number) {
  const frames = Array.from({ length: 20 + random(80) }, () => {
    const kind = random(20);
    const size = kind === 0 ? maxPieceBytes + random(200_000) : kind < 4 ? random(maxPieceBytes) : 1 + random(2_000);
    return Buffer.alloc(size, random(251));
  });
  return runOfFrames(frames);
}

function runOfFrames<Frame extends Uint8Array>(frames: readonly Frame[], pieceBytes?: number) {
  // Filters leave out some offsets: events of a run need not be dense.
  const events = frames.map(
    (_, index) =>
      new LogEvent("e", index * 3 + 1, "t", { type: "a.b", subject: undefined, json: String(index), sizeBytes: 1 }),
  );
  return { run: new EventRun("e", 0, frames.length * 3, events, "**", pieceBytes), frames };
}

/** Each event as the frame of its number. */
function framing(frames: readonly Uint8Array[]): Encoding {
  return { name: "frames", encode: ({ json }) => frames[Number(json)] ?? new Uint8Array() };
}
