import { copyFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isStarcastError, type StoredEvent } from "@starcast/core";
import { draft, seededRandom, type SeededRandom } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import type { SqliteStore } from "../src/index.ts";
import { all, houseOfFiles, type House } from "./house.ts";

const rounds = Number(process.env["STARCAST_ROUNDS"] ?? 8) * 25;
const house = houseOfFiles();

interface Whole {
  /** As a killed process leaves it, with a WAL, and closed. */
  readonly left: string;
  readonly closed: string;
  readonly epoch: string;
  readonly events: ReadonlyMap<number, StoredEvent>;
}

/** A file with something in every table, some of it checkpointed, some not. */
async function wholeStore({ open, path, folder }: House): Promise<Whole> {
  const store = await open();
  const { log, checkpoints, deliveries, records } = store;
  const fill = async (first: number, count: number): Promise<void> => {
    for (let number = first; number < first + count; number += 1) {
      const size = number % 20 === 0 ? 20_000 : 100;
      await log.append([
        draft({ number, padding: "x".repeat(size) }, { subject: `model/${number}`, dedupeKey: `${number}` }),
      ]);
      await records.put(`record/${number % 30}`, `value ${number}`);
    }
  };
  await fill(1, 150);
  const lease = await checkpoints.acquire("webhooks", 60_000);
  if (lease === null) throw new Error("Expected a lease, got null");
  const events = await log.read(0, all);
  await deliveries.put(
    events.slice(0, 50).map(({ offset, type, subject, timestamp, json }) => ({
      endpointId: "ep",
      event: { id: `${log.epoch}-${offset}`, type, subject, timestamp, json },
      dueAt: 0,
      orderKey: subject,
    })),
    { lease, position: { epoch: log.epoch, offset: 50 } },
  );
  await fill(151, 50);
  const stored = new Map((await log.read(0, all)).map((event) => [event.offset, event]));
  const left = copyAll(path, join(folder, "left.db"));
  await store.close();
  return { left, closed: copyAll(path, join(folder, "closed.db")), epoch: log.epoch, events: stored };
}

function copyAll(from: string, to: string): string {
  for (const suffix of ["", "-wal", "-head"]) if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
  return to;
}

/** One thing that happens to files. */
function harm(random: SeededRandom, path: string): string {
  const hasWal = existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0;
  const file = path + (hasWal && random.integer(0, 1) === 0 ? "-wal" : "");
  const bytes = readFileSync(file);
  const at = random.integer(0, bytes.length - 1);
  switch (random.integer(0, 3)) {
    case 0:
      truncateSync(file, at);
      return `cut at ${at}`;
    case 1: {
      const length = random.integer(1, 100);
      for (let index = 0; index < length; index += 1) bytes[index] = random.integer(0, 255);
      writeFileSync(file, bytes);
      return `header overwritten (${length})`;
    }
    case 2: {
      const length = random.integer(1, 2_000);
      bytes.fill(random.integer(0, 255), at, Math.min(at + length, bytes.length));
      writeFileSync(file, bytes);
      return `${length} bytes at ${at} overwritten`;
    }
    default:
      for (let flips = random.integer(1, 20); flips > 0; flips -= 1) {
        const place = random.integer(0, bytes.length - 1);
        bytes[place] = (bytes[place] ?? 0) ^ (1 << random.integer(0, 7));
      }
      writeFileSync(file, bytes);
      return "bits flipped";
  }
}

/** What was given, or null for a refusal; anything but a typed error fails the test. */
async function given<Result>(call: () => Promise<Result>): Promise<Result | null> {
  try {
    return await call();
  } catch (error) {
    if (!isStarcastError(error)) throw error;
    return null;
  }
}

async function expectNothingWrong({ log, records, deliveries, checkpoints }: SqliteStore, whole: Whole): Promise<void> {
  // Fewer events than were acknowledged are told by a new epoch, never hidden in the old one.
  if (log.epoch === whole.epoch) expect(log.head).toBe(whole.events.size);
  for (let after = 0; after < log.head; after += 1) {
    const events = (await given(() => log.read(after, { maxEvents: 50, maxBytes: Infinity }))) ?? [];
    for (const event of events) expect(event).toEqual(whole.events.get(event.offset));
    after = Math.max(after, (events.at(-1)?.offset ?? 0) - 1);
  }
  for (let number = 0; number < 30; number += 1) {
    const record = await given(() => records.get(`record/${number}`));
    if (record !== null) expect(Number(/^value (\d+)$/.exec(record.value)?.[1]) % 30).toBe(number);
  }
  const claims =
    (await given(() => deliveries.claimDue({ now: 1, limit: 50, perEndpoint: () => 50, leaseMs: 1 }))) ?? [];
  const listed = (await given(() => deliveries.list({}, { limit: 100 })))?.deliveries ?? [];
  for (const { event, endpointId, orderKey } of [...claims.map(({ delivery }) => delivery), ...listed]) {
    const original = whole.events.get(Number(event.id.split("-")[1]));
    expect([event.json, event.subject]).toEqual([original?.json, original?.subject]);
    expect([endpointId, orderKey]).toEqual(["ep", original?.subject]);
  }
  const place = await given(() => checkpoints.load("webhooks"));
  if (place !== null) expect(place).toEqual({ epoch: whole.epoch, offset: 50 });
  const appended = await given(() => log.append([draft("after", { dedupeKey: "7" })]));
  for (const { isDuplicate, position } of appended ?? []) if (isDuplicate) expect(position.offset).toBe(7);
}

describe("a damaged file", () => {
  it(`opens or is refused, and never gives a wrong event (${rounds} times)`, async () => {
    const rooms = house();
    const whole = await wholeStore(rooms);
    const seed = Number(process.env["STARCAST_SEED"] ?? 1);
    const outcomes = { refused: 0, opened: 0 };
    for (let round = 1; round <= rounds; round += 1) {
      const path = copyAll(round % 2 === 0 ? whole.left : whole.closed, join(rooms.folder, `${round}.db`));
      const done = harm(seededRandom(seed * 100_000 + round), path);
      const store = await given(() => rooms.open({}, path));
      outcomes[store === null ? "refused" : "opened"] += 1;
      if (store === null) continue;
      try {
        await expectNothingWrong(store, whole);
      } catch (error) {
        throw new Error(`After "${done}" (STARCAST_SEED=${seed}, round ${round})`, { cause: error });
      } finally {
        await given(() => store.close());
      }
    }
    // Both happen, or nothing was tested.
    expect(outcomes.refused).toBeGreaterThan(rounds / 20);
    expect(outcomes.opened).toBeGreaterThan(rounds / 20);
  });
});
