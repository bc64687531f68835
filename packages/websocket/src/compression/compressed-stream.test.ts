import { Broker, MemoryStore, type Batch, type Line, type Position, type Subscriber } from "@starcast/core";
import { fakeSurroundings, forEachSeed, type SeededRandom } from "@starcast/testing";
import { constants, inflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { makeDialects, type Dialect } from "../dialect.ts";
import { CompressedStream } from "./compressed-stream.ts";
import { flushMark, windowBits } from "./deflated-frame.ts";
import { StreamWindows } from "./stream-windows.ts";

/** A frame of the server as RFC 6455 has it: what follows the head, and whether it is compressed. */
function framesIn(bytes: Uint8Array): { readonly payload: Uint8Array; readonly isCompressed: boolean }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: { payload: Uint8Array; isCompressed: boolean }[] = [];
  for (let at = 0; at < bytes.length;) {
    const short = view.getUint8(at + 1);
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length = short < 126 ? short : short === 126 ? view.getUint16(at + 2) : Number(view.getBigUint64(at + 2));
    frames.push({
      payload: bytes.subarray(at + head, at + head + length),
      isCompressed: (view.getUint8(at) & 0x40) !== 0,
    });
    at += head + length;
  }
  return frames;
}

/** A client that reads all it is offered. */
class Follower implements Subscriber {
  readonly #stream: CompressedStream;

  constructor(windows: StreamWindows, dialect: Dialect) {
    this.#stream = new CompressedStream(windows, dialect, false);
  }

  open(line: Line): void {
    this.#stream.goOnAfter(line.start.position.offset);
  }

  deliver(batch: Batch): number {
    for (let taken = 0; taken < batch.events.length;) taken += this.#stream.piece(batch, taken).count;
    return batch.events.length;
  }

  gap({ through }: { readonly through: { readonly offset: number } }): void {
    this.#stream.goOnAfter(through.offset);
  }

  close(): void {
    this.#stream.end();
  }
}

/** A client that reads some pieces and then, for a while, none; it keeps all it read, to be judged by a real decoder. */
class Reader implements Subscriber {
  readonly expected: { readonly text: string; readonly offset: number }[] = [];
  readonly #written: Uint8Array[] = [];
  readonly #stream: CompressedStream;
  readonly #dialect: Dialect;
  readonly #random: SeededRandom;
  readonly isEachAlone: boolean;
  gaps = 0;
  line: Line | null = null;

  constructor(windows: StreamWindows, dialect: Dialect, random: SeededRandom) {
    this.isEachAlone = random.integer(1, 8) === 1;
    this.#stream = new CompressedStream(windows, dialect, this.isEachAlone);
    this.#dialect = dialect;
    this.#random = random;
  }

  open(line: Line): void {
    this.line = line;
    this.#stream.goOnAfter(line.start.position.offset);
  }

  deliver(batch: Batch): number {
    const pieces = this.#random.integer(0, 3);
    let taken = 0;
    for (let count = 0; count < pieces && taken < batch.events.length; count += 1) {
      const piece = this.#stream.piece(batch, taken);
      for (const event of batch.events.slice(taken, taken + piece.count))
        this.expected.push({ text: this.#dialect.textOf(event), offset: event.offset });
      this.#written.push(piece.bytes);
      taken += piece.count;
    }
    return taken;
  }

  gap({ through }: { readonly through: { readonly offset: number } }): void {
    this.gaps += 1;
    this.#stream.goOnAfter(through.offset);
  }

  refiltered(position: Position): void {
    this.#stream.goOnAfter(position.offset);
  }

  close(): void {
    this.#stream.end();
  }

  /** What a decoder makes of it: one that keeps its window, or one that forgets it after each message. */
  read(): { readonly texts: string; readonly compressed: number } {
    const frames = this.#written.flatMap(framesIn);
    const packed = frames.filter(({ isCompressed }) => isCompressed);
    const inflated = this.isEachAlone
      ? packed.map(({ payload }) => inflate([payload]))
      : packed.length === 0
        ? []
        : [inflate(packed.map(({ payload }) => payload))];
    // Compressed and plain messages are told apart by the frame, their order by the frames: here each kind is one text.
    let at = 0;
    const whole = inflated.join("");
    const bytes = Buffer.from(whole);
    const texts = frames.map(({ payload, isCompressed }, index) => {
      if (!isCompressed) return Buffer.from(payload).toString();
      const length = Buffer.byteLength(this.expected[index]?.text ?? "");
      at += length;
      return bytes.subarray(at - length, at).toString();
    });
    expect(at, "bytes the decoder gave beyond what was sent").toBe(bytes.length);
    return { texts: texts.join("\n"), compressed: packed.length };
  }
}

function inflate(payloads: readonly Uint8Array[]): string {
  const stream = Buffer.concat(payloads.flatMap((payload) => [payload, flushMark]));
  return inflateRawSync(stream, { windowBits, finishFlush: constants.Z_SYNC_FLUSH }).toString();
}

const filters = [{}, { types: ["model.*"] }, { types: ["sync.*"] }, { types: ["model.added"], subjects: ["a*"] }];

async function simulate(random: SeededRandom): Promise<{ readonly compressed: number; readonly gaps: number }> {
  const time = fakeSurroundings(random.integer(1, 1_000_000));
  const broker = new Broker({
    store: new MemoryStore({ retention: { maxEvents: random.integer(20, 400), maxBytes: 4_000_000 } }),
    hotWindow: { maxEvents: random.integer(4, 300), maxBytes: 1_000_000 },
    surroundings: time,
    observe: [],
  });
  const { starcast, cloudEvents } = makeDialects("/events", random);
  const windows = new StreamWindows(random.integer(1, 3));
  const readers: { readonly reader: Reader; readonly subscription: ReturnType<typeof broker.attach> }[] = [];
  const everybody: Reader[] = [];
  let published = 0;
  const publish = async (count: number): Promise<void> => {
    const drafts = Array.from({ length: count }, () => {
      published += 1;
      const size = random.chance(0.004) ? random.integer(8_000, 90_000) : random.integer(0, 300);
      const name = `${random.pick(["gpt", "claude", "llama"])}-${random.integer(1, 30)}`;
      return broker.publish(
        random.pick(["model.added", "model.updated", "sync.started"]),
        { name, note: random.pick(["x", "né", "\u{1F680}"]).repeat(size / 2), at: published },
        { subject: random.pick(["a/1", "b/2"]) },
      );
    });
    await time.runTurn();
    await Promise.all(drafts);
  };
  for (let step = 0; step < 30; step += 1) {
    const action = random.integer(1, 10);
    const someone = readers.length === 0 ? undefined : random.pick(readers);
    if (action <= 4) await publish(random.integer(1, 25));
    else if (action <= 6 && readers.length < 8) {
      const reader = new Reader(windows, random.pick([starcast, starcast, cloudEvents]), random);
      const from = random.pick([
        "latest",
        "earliest",
        { epoch: broker.position.epoch, offset: random.integer(0, published) },
      ] as const);
      readers.push({ reader, subscription: broker.attach(reader, { ...random.pick(filters), from }) });
      everybody.push(reader);
    } else if (action === 7) {
      if (someone === undefined) continue;
      const [elsewhere, back] = [random.pick(filters), random.pick(filters)];
      someone.reader.refiltered(someone.subscription.setFilter(elsewhere));
      // Whoever was away for a while has not read what came meanwhile.
      if (random.chance(0.5)) await publish(random.integer(1, 5));
      someone.reader.refiltered(someone.subscription.setFilter(back));
    } else if (action === 8 && someone !== undefined) {
      readers.splice(readers.indexOf(someone), 1);
      await someone.subscription.close();
    } else {
      for (const { reader } of readers) if (random.integer(1, 2) === 1) reader.line?.ready();
      await time.runTurn();
    }
  }
  // What is left is read to its end.
  for (let round = 0; round < 50; round += 1) {
    for (const { reader } of readers) reader.line?.ready();
    await time.runTurn();
  }
  let compressed = 0;
  let gaps = 0;
  for (const reader of everybody) {
    const read = reader.read();
    expect(read.texts).toBe(reader.expected.map(({ text }) => text).join("\n"));
    compressed += read.compressed;
    gaps += reader.gaps;
  }
  await broker.close();
  return { compressed, gaps };
}

describe("one compression for all clients", () => {
  it("gives every decoder exactly the text, over joins, pauses, gaps, resumes and filter changes", async () => {
    const seen = { compressed: 0, gaps: 0 };
    await forEachSeed(1_000, async (random) => {
      const { compressed, gaps } = await simulate(random);
      seen.compressed += compressed;
      seen.gaps += gaps;
    });
    expect(seen.compressed).toBeGreaterThan(50_000);
    expect(seen.gaps).toBeGreaterThan(500);
  }, 120_000);

  it("makes each event's text twice at most, however many clients there are, early and late ones", async () => {
    let made = 0;
    const { starcast } = makeDialects("/events", fakeSurroundings().random);
    const counting: Dialect = {
      ...starcast,
      textOf: (event) => {
        made += 1;
        return starcast.textOf(event);
      },
    };
    const time = fakeSurroundings();
    const broker = new Broker<Record<string, unknown>>({ surroundings: time, observe: [] });
    const windows = new StreamWindows(1);
    const join = (): void => {
      for (let count = 0; count < 100; count += 1) broker.attach(new Follower(windows, counting), {});
    };
    const publish = async (count: number): Promise<void> => {
      const drafts = Array.from({ length: count }, (_, n) => broker.publish("model.added", { n }));
      await time.runUntilIdle();
      await Promise.all(drafts);
    };
    join();
    await publish(50);
    expect(made).toBe(50);
    join();
    await publish(10);
    expect(made).toBe(2 * 60);
    // By now everybody has received a window.
    await publish(400);
    made = 0;
    await publish(10);
    expect(made).toBe(10);
    await broker.close();
  });
});
