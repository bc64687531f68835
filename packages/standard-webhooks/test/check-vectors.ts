// A program for any runtime: puts every vector through the package as that runtime loads it, and prints what went wrong.
import { readFileSync } from "node:fs";
import { WebhookVerifier, makeKey, parseKey, sign, verify, type WebhookErrorCode } from "../src/index.ts";
import type { InvalidVector, KeyVector, ValidVector, Vector } from "./vectors.ts";

const wrong: string[] = [];
let count = 0;

async function check(name: string, expected: unknown, run: () => unknown): Promise<void> {
  count += 1;
  const got: unknown = await Promise.resolve()
    .then(run)
    .catch((error: { readonly code?: WebhookErrorCode; readonly message: string }) => error.code ?? error.message);
  if (JSON.stringify(got) !== JSON.stringify(expected))
    wrong.push(`${name}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
}

for (const vector of read<ValidVector[]>("valid")) {
  const { name, headers, keys, now, signedBy } = vector;
  const { "webhook-id": id = "", "webhook-timestamp": seconds } = headers;
  const body = bytesOf(vector);
  await check(`accepts ${name}`, id, async () => (await verify({ headers, body, keys, now })).id);
  if (signedBy.length > 0)
    await check(`signs ${name}`, headers, () => sign({ id, timestamp: Number(seconds) * 1000, body, keys: signedBy }));
}
for (const vector of read<InvalidVector[]>("invalid")) {
  const { name, headers, keys, now, code } = vector;
  await check(`refuses ${name}`, code, () => verify({ headers, body: bytesOf(vector), keys, now }));
}
const keys = read<{ readonly valid: readonly KeyVector[]; readonly invalid: readonly KeyVector[] }>("keys");
for (const { name, key } of keys.valid) await check(`takes a key of ${name}`, "ok", () => parseKey(key) && "ok");
for (const { name, key } of keys.invalid) await check(`refuses a key of ${name}`, "invalid_key", () => parseKey(key));

// The whole endpoint, in the Fetch shape that these runtimes serve.
const key = makeKey();
const seen: unknown[] = [];
const { fetch: receive } = new WebhookVerifier({ keys: key }).receive((event) => void seen.push(event.data));
const body = JSON.stringify({ id: "a-1", type: "a.b", timestamp: new Date().toISOString(), data: "été" });
const headers = await sign({ id: "a-1", timestamp: Date.now(), body, keys: key });
const post = (given: string): Request => new Request("http://localhost/hook", { method: "POST", headers, body: given });
await check("receives a signed webhook", 204, async () => (await receive(post(body))).status);
await check("refuses a forged one", 400, async () => (await receive(post(`${body} `))).status);
await check("hands its event over, once", ["été"], () => seen);

console.log(wrong.length === 0 ? `${count} checks passed` : wrong.join("\n"));

function bytesOf({ body }: Vector): Uint8Array {
  return "utf8" in body ? new TextEncoder().encode(body.utf8) : Uint8Array.from(Buffer.from(body.base64, "base64"));
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8")) as T;
}
