import { EventEmitter } from "node:events";
import Emittery from "emittery";
import { EventEmitter as EventEmitter3 } from "eventemitter3";
import mittModule from "mitt";
import { Subject } from "rxjs";
import { Broker } from "@starcast/core";
import { interleave, ratio } from "../interleave.ts";
import type { Row, Suite } from "../suite.ts";
import { rowsOf } from "../table.ts";

// Its types describe the CommonJS build, whose default is one step deeper.
const mitt = mittModule as unknown as typeof mittModule.default;

/** Publications gathered in one turn of the event loop: a sync that announces its changes. */
const perTurn = 100;

/** About 200 bytes of JSON, as a model record's change is. */
const data = {
  id: "openai/gpt-x",
  name: "GPT X",
  provider: "openai",
  pricing: { input: 1.25, output: 10 },
  limits: { context: 400_000 },
  note: "cheaper",
};

/** In process: publishing to functions, beside emitters. Nanoseconds per publication. */
export const suite: Suite = async ({ isQuick, say }) => {
  const rounds = isQuick ? 5 : 11;
  const rows: Row[] = [];
  const ratios: Record<string, number> = {};
  for (const subscribers of [1, 10, 100, 1_000]) {
    say(`core: ${subscribers} subscribers`);
    const count = Math.ceil(400_000 / (subscribers + 9) / perTurn) * perTurn * (isQuick ? 1 : 3);
    const measures = await interleave(contenders(subscribers, count), rounds);
    rows.push(...rowsOf(`${subscribers} subscribers`, measures, "ns"));
    ratios[`core.subs${subscribers}.vsEmitterEncoding`] = ratio(measures, "EventEmitter, encoding", "starcast");
    ratios[`core.subs${subscribers}.vsEmitter`] = ratio(measures, "EventEmitter", "starcast");
  }
  say("core: publish");
  const publishing = await interleave(
    { starcast: () => starcast(0, 40_000), "JSON.stringify": () => stringify(40_000) },
    rounds * 2,
  );
  rows.push(...rowsOf("publish, no subscriber", publishing, "ns"));
  ratios["core.publish.vsStringify"] = ratio(publishing, "starcast", "JSON.stringify");
  return { rows, ratios, rounds };
};

function contenders(subscribers: number, count: number): Record<string, () => Promise<number>> {
  return {
    starcast: () => starcast(subscribers, count),
    "EventEmitter, encoding": () => emitterEncoding(subscribers, count),
    EventEmitter: () => emitter(subscribers, count),
    mitt: () => mittHub(subscribers, count),
    eventemitter3: () => emitter3(subscribers, count),
    emittery: () => emitteryHub(subscribers, Math.ceil(count / 10)),
    rxjs: () => subject(subscribers, count),
  };
}

// Every listener does the same small work, so that nothing is optimised away.
let seen = 0;
const listener = (): ((event: { readonly type: string }) => void) => (event) => void (seen += event.type.length);

async function starcast(subscribers: number, count: number): Promise<number> {
  const broker = new Broker({ observe: [] });
  for (let index = 0; index < subscribers; index += 1) broker.subscribe(listener(), { from: "latest" });
  await turn();
  return perPublication(count, () => void broker.publish("model.updated", data));
}

/** What a careful publisher does today: makes the wire text once, next to the object. */
function emitterEncoding(subscribers: number, count: number): Promise<number> {
  const hub = new EventEmitter().setMaxListeners(0);
  for (let index = 0; index < subscribers; index += 1) hub.on("event", listener());
  let offset = 0;
  return perPublication(count, () => {
    const event = { id: `abcd1234-${(offset += 1)}`, type: "model.updated", timestamp: new Date().toISOString(), data };
    hub.emit("event", { ...event, json: JSON.stringify(event) });
  });
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
    hub.on("event", (received: unknown) => void (seen += typeof received === "object" ? 13 : 0));
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
    seen += JSON.stringify({
      id: `abcd1234-${(offset += 1)}`,
      type: "model.updated",
      timestamp: "2026-01-01T00:00:00.000Z",
      data,
    }).length;
  });
}

async function perPublication(count: number, publish: () => void): Promise<number> {
  const started = process.hrtime.bigint();
  for (let published = 0; published < count; published += perTurn) {
    for (let index = 0; index < perTurn; index += 1) publish();
    await turn();
  }
  return Number(process.hrtime.bigint() - started) / count;
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
