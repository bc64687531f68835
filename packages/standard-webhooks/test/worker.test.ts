import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "tsup";
import { expect, it, onTestFinished } from "vitest";
import type * as Package from "@starcast/standard-webhooks";

/** What workers have, and nothing of Node. */
const globals = {
  ...{ TextEncoder, TextDecoder, crypto, Request, Response, Headers, ReadableStream, atob, setTimeout, clearTimeout },
  // One for all of them, as in a worker.
  Uint8Array,
};

it("signs and receives in a worker, bundled, where there is nothing of Node", async () => {
  const { WebhookVerifier, makeKey, makeKeyPair, sign } = await inWorker();
  const [key, pair] = [makeKey(), await makeKeyPair()];
  const events: unknown[] = [];
  const verifier = new WebhookVerifier({ keys: [key, pair.publicKey] });
  const receiver = verifier.receive((event) => void events.push(event.data));
  const body = '{"type":"model.added","data":"été"}';
  for (const keys of [key, pair.privateKey]) {
    const headers = await sign({ id: `evt-${events.length}`, timestamp: Date.now(), body, keys });
    const post = async (content: string): Promise<number> =>
      (await receiver.fetch(new Request("http://worker/", { method: "POST", headers, body: content }))).status;
    expect([await post(`${body} `), await post(body), await post(body)]).toEqual([400, 204, 400]);
  }
  expect(events).toEqual(["été", "été"]);
});

async function inWorker(): Promise<typeof Package> {
  const outDir = await mkdtemp(join(tmpdir(), "starcast-worker-"));
  onTestFinished(async () => rm(outDir, { recursive: true }));
  await build({
    config: false,
    silent: true,
    entry: { worker: fileURLToPath(new URL("../src/index.ts", import.meta.url)) },
    format: "iife",
    globalName: "standardWebhooks",
    platform: "neutral",
    outDir,
    esbuildOptions: (options) => {
      options.conditions = ["@starcast/source", "workerd", "worker"];
    },
  });
  const context = createContext({ ...globals });
  runInContext(readFileSync(join(outDir, "worker.global.js"), "utf8"), context);
  return runInContext("standardWebhooks", context) as typeof Package;
}
