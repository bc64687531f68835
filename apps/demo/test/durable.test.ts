import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diffCatalogs, keyOfModel } from "@starcast/catalog";
import { formatPosition, parsePosition } from "@starcast/core";
import { SqliteStore } from "@starcast/sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { freePort } from "../../../tests/free-port.ts";
import { Mosquitto } from "../../../tests/mosquitto.ts";
import { describeWith } from "../../../tests/services.ts";
import { CatalogReplay } from "../src/catalog/catalog-replay.ts";
import { readPriceLists } from "../src/catalog/price-lists.ts";
import { BookFile } from "../src/durable/book-file.ts";
import { LiveClient } from "../src/receivers/live-client.ts";
import { MqttDevice } from "../src/receivers/mqtt-device.ts";
import { Receiver } from "../src/receivers/receiver.ts";
import { sseAt } from "../src/receivers/sse-client.ts";
import { websocketAt } from "../src/receivers/websocket-client.ts";
import { startDemo } from "./demo-process.ts";
import type { DemoProcess } from "./demo-process.ts";

// Three lives of the demo, each with a start of its own and at its own pace: ten seconds where nothing else runs.
const hangGuard = { timeout: 180_000 };

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
});

/** The announcements between the first two states of the catalog, as `type subject`. */
function announcements(): readonly string[] {
  const replay = new CatalogReplay(readPriceLists());
  const before = replay.answer({ known: null });
  const { added, updated, deleted } = diffCatalogs(before.entries, replay.answer({ known: before.version }).entries);
  return [
    ...added.map((model) => `model.added ${keyOfModel(model)}`),
    ...updated.map(({ entry }) => `model.updated ${keyOfModel(entry)}`),
    ...deleted.map((model) => `model.deleted ${keyOfModel(model)}`),
  ];
}

/** The demo on a folder, from one life to the next, with receivers that outlive it. */
async function demoOn(folder: string, env: NodeJS.ProcessEnv = {}) {
  const port = await freePort();
  const args = ["--durable", folder, "--port", String(port)];
  let demo: DemoProcess = startDemo(args, env);
  ends.push(() => (demo.kill("SIGKILL"), demo.ended));
  const [, epoch = ""] = await demo.wrote(/goes on after (\w+)-0\./);
  const url = `http://127.0.0.1:${port}/events`;
  const books: Record<string, string> = {
    MQTT: join(folder, "received-mqtt.txt"),
    webhooks: join(folder, "received-webhooks.txt"),
  };
  const receiver = (name: string): Receiver => {
    const path = join(folder, `${name}-outside.txt`);
    books[name] = path;
    const book = new BookFile(path);
    ends.push(() => book.close());
    return new Receiver(name, { epoch, offset: 0 }, book);
  };
  const live = await Promise.all(
    [websocketAt, sseAt].map(async (connectTo) => {
      const client = new LiveClient(connectTo(url), receiver(connectTo.name));
      ends.push(() => client.drop());
      return client;
    }),
  );
  await Promise.all(live.map((client) => client.resume()));
  return {
    url,
    receiver,
    live,
    restart: async () => {
      demo.kill("SIGKILL");
      await demo.ended;
      demo = startDemo(args, env);
      const [, place = ""] = await demo.wrote(/goes on after (\S+)\./);
      return parsePosition(place);
    },
    end: async () => {
      demo.kill("SIGINT");
      expect(await demo.ended, demo.output()).toBe(0);
    },
    /** The ids each receiver got, in the order they came, as often as they came. */
    arrivals: () =>
      Object.entries(books).map(([name, path]) => {
        const [, ...ids] = readFileSync(path, "utf8").trim().split("\n");
        return { name, ids };
      }),
    /** Resolves when the receivers inside have everything up to here, as the page is told. */
    untilInside: async (offset: number) => {
      const { body } = await fetch(new URL("/status", url));
      if (body === null) throw new Error("Expected a stream of status reports, got none");
      let text = "";
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        text = (text + chunk).slice(-200_000);
        const newest = text.split("\n\n").at(-2) ?? "";
        if (!newest.startsWith("data: ")) continue;
        const { receivers } = JSON.parse(newest.slice(6)) as { readonly receivers: Record<string, { offset: number }> };
        if (Object.values(receivers).every((each) => each.offset >= offset)) return;
      }
      throw new Error(`Expected the demo to go on, it ended with: ${demo.output()}`);
    },
  };
}

async function logOf(folder: string): Promise<readonly { readonly id: string; readonly name: string }[]> {
  const store = await SqliteStore.open(join(folder, "starcast.db"));
  ends.push(() => store.close());
  const events = await store.log.read(0, { maxEvents: 10_000, maxBytes: Infinity });
  return events.map(({ offset, type, subject }) => ({
    id: formatPosition({ epoch: store.log.epoch, offset }),
    name: `${type} ${subject}`,
  }));
}

/** Kills the demo with -9 after so many events each, and judges what everybody has in the end. */
async function killedAfter(kills: readonly number[], outliving: { readonly url: string } | null): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "starcast-demo-"));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const life = await demoOn(folder, outliving === null ? {} : { MQTT_URL: outliving.url });
  const outside = life.live.map(({ receiver }) => receiver);
  if (outliving !== null) {
    const receiver = life.receiver("MQTT, outside");
    const session = { clientId: "outside", isKept: true };
    const device = await MqttDevice.connect(outliving.url, "catalog/events/#", session, receiver);
    ends.push(() => device.close());
    outside.push(receiver);
  }

  const expected = announcements();
  const last = expected.length + 2;
  const places: number[] = [];
  for (const enough of kills) {
    await Promise.all(life.live.map(({ receiver }) => receiver.until(({ through }) => through >= enough)));
    const place = await life.restart();
    expect(place?.offset).toBeGreaterThanOrEqual(enough);
    places.push(place?.offset ?? 0);
  }
  // At least one in the middle: something was kept, something was still to come. A busy machine may kill late.
  expect(Math.min(...places)).toBeLessThan(last);
  await Promise.all(outside.map((receiver) => receiver.until(({ through }) => through >= last)));
  await life.untilInside(last);
  await life.end();

  const log = (await logOf(folder)).slice(0, last);
  expect(log.map(({ name }) => name).toSorted()).toEqual(
    ["sync.started catalog", ...expected, "sync.completed catalog"].toSorted(),
  );
  expect(log.at(-1)?.name).toBe("sync.completed catalog");
  const wanted = log.map(({ id }) => id);
  for (const { name, ids } of life.arrivals()) {
    const known = new Set(wanted);
    const arrived = ids.filter((id) => known.has(id));
    expect([...new Set(arrived)], name).toEqual(name === "webhooks" ? expect.arrayContaining(wanted) : wanted);
    // Only the two that are acknowledged event by event may repeat one: by its id.
    if (name.startsWith("websocket") || name.startsWith("sse")) expect(arrived, name).toEqual(wanted);
    expect(
      ids.filter((id) => parsePosition(id) === null),
      name,
    ).toEqual([]);
  }
}

describe("the demo with --durable, killed with -9 in the middle of a sync", () => {
  it("goes on where it was, with an MQTT broker in the same process", hangGuard, () => killedAfter([100, 600], null));

  // A real one: Aedes, when a client comes back, sends what is new before it is done with what waited in the session.
  describeWith("mosquitto", "with an MQTT broker that outlives it", (program) => {
    it("goes on where it was", hangGuard, async () => {
      const mosquitto = await Mosquitto.start(program, ["max_queued_messages 0"]);
      ends.push(() => mosquitto.end());
      await killedAfter([100, 400], mosquitto);
    });
  });
});
