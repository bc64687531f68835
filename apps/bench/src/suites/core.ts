import { EventEmitter } from "node:events";
import Emittery from "emittery";
import { EventEmitter as EventEmitter3 } from "eventemitter3";
import mittModule from "mitt";
import { Subject } from "rxjs";
import { Broker, json, type Batch, type Subscriber } from "@starcast/core";
import { interleave, ratio } from "../interleave.ts";
import type { Row, Suite } from "../suite.ts";
import { rowsOf } from "../table.ts";

// Its types describe the CommonJS build, whose default is one step deeper.
const mitt = mittModule as unknown as typeof mittModule.default;

/** Publications gathered in one turn of the event loop: a sync that announces its changes. */
const usualPerTurn = 100;

/** Publications of a round, at least: fewer see one collection of the young generation or none, by chance. */
const leastCount = 30_000;

/** Publications before the clock starts, for everybody: code is compiled, and what a log retains is full, as in a service. */
const warmUp = 12_000;

/** About 200 bytes of JSON, as a model record's change is. */
const data = {
  id: "openai/gpt-x",
  name: "GPT X",
  provider: "openai",
  pricing: { input: 1.25, output: 10 },
  limits: { context: 400_000 },
  note: "cheaper",
};

/**
 * In process, beside emitters. Nanoseconds per publication; the clock stops when everybody has everything.
 * - `core.subsN.vsEmitterEncoding`: subscribers of the batch port that take the bytes of each event in shared pieces, as
 *   every transport does, beside listeners that look at the text the emitter's publisher made. Making the bytes is in ours.
 * - `core.subsN.batches.vsEmitterEncoding`: the same port, looking at each event object
 * - `core.subsN.functions.vsEmitterEncoding`: plain functions, called once per event, as the emitter's listeners are
 * - `core.singleN`: one event per turn, where a batch has nothing to share
 */
export const suite: Suite = async ({ isQuick, say }) => {
  const rounds = isQuick ? 5 : 11;
  // A service has one broker that lives all along; without it each collection between rounds would also throw away what
  // the compiler knows of a broker's objects.
  const resident = new Broker({ observe: [] });
  for (const make of [() => new ByteTaker(), () => new EventTaker(), listener]) resident.subscribe(make());
  await resident.publish("model.updated", data);
  const rows: Row[] = [];
  const ratios: Record<string, number> = {};
  for (const subscribers of [1, 10, 100, 1_000]) {
    say(`core: ${subscribers} subscribers`);
    const count = roundUp(Math.max((isQuick ? 2_000_000 : 6_000_000) / (subscribers + 99), leastCount));
    const measures = await interleave(contenders(subscribers, count), rounds);
    rows.push(...rowsOf(`${subscribers} subscribers, ${usualPerTurn} a turn`, measures, "ns"));
    const name = `core.subs${subscribers}`;
    ratios[`${name}.vsEmitterEncoding`] = ratio(measures, encodingEmitter, bytes);
    ratios[`${name}.batches.vsEmitterEncoding`] = ratio(measures, encodingEmitter, batches);
    ratios[`${name}.functions.vsEmitterEncoding`] = ratio(measures, encodingEmitter, functions);
    ratios[`${name}.vsEmitter`] = ratio(measures, "EventEmitter", functions);
  }
  for (const subscribers of [1, 1_000]) {
    say(`core: ${subscribers} subscribers, one publication per turn`);
    const count = roundUp((isQuick ? 500_000 : 1_500_000) / (subscribers + 99));
    const measures = await interleave(
      {
        [bytes]: () => starcast(() => new ByteTaker(), subscribers, count, 1),
        [functions]: () => starcast(listener, subscribers, count, 1),
        [encodingEmitter]: () => emitterEncoding(subscribers, count, 1),
      },
      rounds,
    );
    rows.push(...rowsOf(`${subscribers} subscribers, 1 a turn`, measures, "ns"));
    ratios[`core.single${subscribers}.vsEmitterEncoding`] = ratio(measures, encodingEmitter, bytes);
    ratios[`core.single${subscribers}.functions.vsEmitterEncoding`] = ratio(measures, encodingEmitter, functions);
  }
  say("core: publish");
  const publishing = await interleave(
    { starcast: () => starcast(listener, 0, 100_000), "JSON.stringify": () => stringify(100_000) },
    rounds * 2,
  );
  rows.push(...rowsOf("publish, no subscriber, retention full", publishing, "ns"));
  ratios["core.publish.vsStringify"] = ratio(publishing, "starcast", "JSON.stringify");
  await resident.close();
  return { rows, ratios, rounds };
};

const bytes = "starcast, bytes";
const batches = "starcast, batches";
const functions = "starcast, functions";
const encodingEmitter = "EventEmitter, encoding";

function contenders(subscribers: number, count: number): Record<string, () => Promise<number>> {
  return {
    [bytes]: () => starcast(() => new ByteTaker(), subscribers, count),
    [batches]: () => starcast(() => new EventTaker(), subscribers, count),
    [functions]: () => starcast(listener, subscribers, count),
    [encodingEmitter]: () => emitterEncoding(subscribers, count),
    EventEmitter: () => emitter(subscribers, count),
    mitt: () => mittHub(subscribers, count),
    eventemitter3: () => emitter3(subscribers, count),
    emittery: () => emitteryHub(subscribers, Math.ceil(count / 20)),
    rxjs: () => subject(subscribers, count),
  };
}

// Every listener does the same small work, so that nothing is optimised away. Kept small: above 2^31 a sum is an
// allocation of its own, which would be measured instead.
let seen = 0;
function see(count: number): void {
  seen = (seen + count) & 0xffff;
}
const textListener = (): ((event: { readonly json: string }) => void) => (event) => see(event.json.length);
const listener = (): ((event: { readonly type: string }) => void) => (event) => see(event.type.length);

async function starcast(
  make: () => Subscriber | ((event: { readonly type: string }) => void),
  subscribers: number,
  count: number,
  perTurn?: number,
): Promise<number> {
  const broker = new Broker({ observe: [] });
  for (let index = 0; index < subscribers; index += 1) broker.subscribe(make(), { from: "latest" });
  await turn();
  return perPublication(count, () => void broker.publish("model.updated", data), perTurn);
}

/** Takes the bytes of every event, as a connection does. */
class ByteTaker implements Subscriber {
  deliver(batch: Batch): number {
    const count = batch.events.length;
    for (let from = 0; from < count;) {
      const piece = batch.piece(json, from);
      see(piece.bytes.length);
      from += piece.count;
    }
    return count;
  }
  gap(): void {}
  close(): void {}
}

/** Looks at each event as a listener does, in one call per batch. */
class EventTaker implements Subscriber {
  deliver({ events }: Batch): number {
    for (const event of events) see(event.type.length);
    return events.length;
  }
  gap(): void {}
  close(): void {}
}

/** What a careful publisher does today: makes the wire text once, next to the object. */
function emitterEncoding(subscribers: number, count: number, perTurn?: number): Promise<number> {
  const hub = new EventEmitter().setMaxListeners(0);
  for (let index = 0; index < subscribers; index += 1) hub.on("event", textListener());
  let offset = 0;
  return perPublication(
    count,
    () => {
      const event = {
        id: `abcd1234-${(offset += 1)}`,
        type: "model.updated",
        timestamp: new Date().toISOString(),
        data,
      };
      hub.emit("event", { ...event, json: JSON.stringify(event) });
    },
    perTurn,
  );
}

function emitter(subscribers: number, count: number): Promise<number> {
  const hub = new EventEmitter().setMaxListeners(0);
  for (let index = 0; index < subscribers; index += 1) hub.on("event", listener());
  return perPublication(count, () => void hub.emit("event", { type: "model.updated", data }));
}

function mittHub(subscribers: number, count: number): Promise<number> {
  const hub = mitt<{ event: { type: string } }>();
  for (let index = 0; index < subscribers; index += 1) hub.on("event", listener());
  return perPublication(count, () => hub.emit("event", { type: "model.updated" }));
}

function emitter3(subscribers: number, count: number): Promise<number> {
  const hub = new EventEmitter3();
  for (let index = 0; index < subscribers; index += 1) hub.on("event", listener());
  return perPublication(count, () => void hub.emit("event", { type: "model.updated", data }));
}

async function emitteryHub(subscribers: number, count: number): Promise<number> {
  const hub = new Emittery();
  for (let index = 0; index < subscribers; index += 1)
    hub.on("event", (received: unknown) => see(typeof received === "object" ? 13 : 0));
  const started = process.hrtime.bigint();
  for (let index = 0; index < count; index += 1) await hub.emit("event", { type: "model.updated", data });
  return Number(process.hrtime.bigint() - started) / count;
}

function subject(subscribers: number, count: number): Promise<number> {
  const hub = new Subject<{ type: string }>();
  for (let index = 0; index < subscribers; index += 1) hub.subscribe(listener());
  return perPublication(count, () => hub.next({ type: "model.updated" }));
}

function stringify(count: number): Promise<number> {
  let offset = 0;
  return perPublication(count, () => {
    see(
      JSON.stringify({
        id: `abcd1234-${(offset += 1)}`,
        type: "model.updated",
        timestamp: "2026-01-01T00:00:00.000Z",
        data,
      }).length,
    );
  });
}

async function perPublication(count: number, publish: () => void, perTurn = usualPerTurn): Promise<number> {
  const publishAll = async (publications: number): Promise<void> => {
    for (let published = 0; published < publications; published += perTurn) {
      for (let index = 0; index < perTurn; index += 1) publish();
      await turn();
    }
  };
  await publishAll(warmUp);
  const started = process.hrtime.bigint();
  await publishAll(count);
  return Number(process.hrtime.bigint() - started) / count;
}

function roundUp(count: number): number {
  return Math.ceil(count / usualPerTurn) * usualPerTurn;
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
