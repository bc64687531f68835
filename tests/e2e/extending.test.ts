import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Broker, type Surroundings } from "@starcast/core";
import {
  describeCheckpoints,
  describeDeliveries,
  describeEventLog,
  describeRecords,
  describeSubscriber,
  fakeSurroundings,
  type Arrival,
  type Receiver,
} from "@starcast/testing";
import { afterAll, describe, expect, it } from "vitest";
import { FileAppender } from "./extending/file-appender.ts";
import { SkeletonStore } from "./extending/skeleton-store.ts";

const folder = mkdtempSync(join(tmpdir(), "starcast-extending-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

describe("docs/extending.md", () => {
  const guide = readFileSync(new URL("../../docs/extending.md", import.meta.url), "utf8");

  it.each(["file-appender.ts", "skeleton-store.ts"])("shows %s as it is run here", (name) => {
    const code = readFileSync(new URL(`extending/${name}`, import.meta.url), "utf8");
    expect(guide).toContain(`\`\`\`ts\n${code}\`\`\``);
  });

  it("shows a transport in at most 60 lines", () => {
    const code = readFileSync(new URL("extending/file-appender.ts", import.meta.url), "utf8");
    expect(code.trimEnd().split("\n").length).toBeLessThanOrEqual(60);
  });
});

// One file per broker: a second transport on it is the same one, started again.
const paths = new WeakMap<object, string>();

describeSubscriber("that appends to a file", {
  resumes: false,
  filters: false,
  durable: true,
  canStall: false,
  async start(broker) {
    const { store } = broker;
    const path = paths.get(store) ?? join(folder, `${(files += 1)}.jsonl`);
    paths.set(store, path);
    const appender = new FileAppender(broker, { path });
    return { connect: async () => readerOf(path), close: () => appender.subscription.close() };
  },
});

describe("a file that cannot be written", () => {
  it("gets everything once it can", async () => {
    const missing = join(folder, "not-yet");
    const path = join(missing, "events.jsonl");
    const time = fakeSurroundings(1, { turns: "real" });
    let failed: () => void = () => undefined;
    const firstFailure = new Promise<void>((resolve) => (failed = resolve));
    const surroundings: Surroundings = {
      ...time,
      clock: time.clock,
      scheduler: {
        nextTurn: (run) => time.scheduler.nextTurn(run),
        after: (ms, run, options) => {
          if (ms === 1_000) failed();
          return time.scheduler.after(ms, run, options);
        },
      },
    };
    const broker = new Broker({ surroundings, observe: [] });
    const appender = new FileAppender(broker, { path });
    const ids = [(await broker.publish("test.happened", 1)).id, (await broker.publish("test.happened", 2)).id];
    await firstFailure;
    mkdirSync(missing);
    await time.advance(1_000);
    const reader = readerOf(path);
    expect([await reader.next(), await reader.next()]).toMatchObject(ids.map((id) => ({ id })));
    await appender.subscription.close();
    await broker.close();
  });
});

const plenty = { retention: { maxEvents: 1_000, maxBytes: 1_000_000 }, dedupeWindowMs: 1_000 };

describeEventLog("the skeleton", {
  durable: false,
  shared: false,
  open: async (request) => new SkeletonStore(request).log,
});
describeCheckpoints("the skeleton", {
  durable: false,
  open: async ({ surroundings }) => new SkeletonStore({ ...plenty, surroundings }).checkpoints,
});
describeDeliveries("the skeleton", {
  durable: false,
  open: async ({ surroundings, maxPerEndpoint }) => new SkeletonStore({ ...plenty, surroundings, maxPerEndpoint }),
});
describeRecords("the skeleton", {
  durable: false,
  open: async () => new SkeletonStore({ ...plenty, surroundings: fakeSurroundings() }).records,
});

/** Reads a file as `tail -f` does. */
function readerOf(path: string): Receiver {
  let read = 0;
  return {
    async next(): Promise<Arrival> {
      for (;;) {
        const watcher = watch(dirname(path), { persistent: false });
        const changed = once(watcher, "change");
        const text = existsSync(path) ? readFileSync(path, "utf8") : "";
        const line = text.split("\n").slice(0, -1)[read];
        if (line === undefined) await changed;
        watcher.close();
        if (line === undefined) continue;
        read += 1;
        return arrivalOf(line);
      }
    },
    disconnect: () => Promise.resolve(),
  };
}

function arrivalOf(line: string): Arrival {
  const { id, type, subject, data } = JSON.parse(line) as {
    readonly id: string;
    readonly type: string;
    readonly subject?: string;
    readonly data: unknown;
  };
  if (type === "client.gap")
    return { kind: "gap", ...(data as { readonly after: string; readonly through: string; readonly reason: string }) };
  return { kind: "event", id, type, subject, data };
}
