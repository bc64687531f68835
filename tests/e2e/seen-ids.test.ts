import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "@starcast/sqlite";
import { makeKey, sign, WebhookVerifier } from "@starcast/standard-webhooks";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "starcast-seen-ids-"));
const path = join(folder, "partner.db");
const key = makeKey();
const body = JSON.stringify({ type: "model.added", data: { id: "acme/m-1" } });

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Life {
  readonly handled: [id: string, isDuplicate: boolean][];
  post(headers: Readonly<Record<string, string>>): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** One life of a partner's endpoint, with its memory in a file. */
async function life(work: (id: string) => unknown = () => undefined): Promise<Life> {
  const handled: [string, boolean][] = [];
  const store = await SqliteStore.open(path);
  const receiver = new WebhookVerifier({ keys: key, seenIds: store.seenIds, onError: () => undefined }).receive(
    async ({ id, isDuplicate }) => {
      await work(id);
      handled.push([id, isDuplicate]);
    },
  );
  const server = createServer((request, response) => void receiver.node(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    handled,
    post: async (headers) => (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers, body })).status,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await store.close();
    },
  };
}

async function attempt(id: string, secondsAgo: number): Promise<Readonly<Record<string, string>>> {
  return { ...(await sign({ id, timestamp: new Date(Date.now() - secondsAgo * 1_000), body, keys: key })) };
}

describe("a webhook receiver with the seen ids of a SqliteStore, over restarts", () => {
  it("refuses the same bytes, of many at once too, marks a later attempt as a duplicate, and lets in what was not handled", async () => {
    const [first, later, failing, interrupted] = await Promise.all([
      attempt("evt-1", 30),
      attempt("evt-1", 5),
      attempt("evt-2", 30),
      attempt("evt-3", 30),
    ]);
    let reached: () => void = () => undefined;
    const isInHandler = new Promise<void>((resolve) => (reached = resolve));
    {
      await using before = await life((id) => {
        if (id === "evt-2") throw new Error("not today");
        if (id !== "evt-3") return undefined;
        reached();
        // For ever: its process ends first.
        return new Promise(() => undefined);
      });
      expect(await before.post(first)).toBe(204);
      expect(await before.post(first)).toBe(400);
      expect(await before.post(failing)).toBe(500);
      before.post(interrupted).catch(() => undefined);
      await isInHandler;
      expect(await before.post(interrupted)).toBe(400);
      expect(before.handled).toEqual([["evt-1", false]]);
    }
    await using after = await life();
    const crowd = await attempt("evt-4", 5);
    const answers = await Promise.all(Array.from({ length: 30 }, async () => after.post(crowd)));
    expect(answers.toSorted()).toEqual([204, ...Array<number>(29).fill(400)]);
    expect(after.handled.splice(0)).toEqual([["evt-4", false]]);
    expect(await after.post(first)).toBe(400);
    expect(await after.post(later)).toBe(204);
    expect(await after.post(failing)).toBe(204);
    expect(await after.post(interrupted)).toBe(204);
    expect(after.handled).toEqual([
      ["evt-1", true],
      ["evt-2", false],
      ["evt-3", false],
    ]);
  });
});
