import { makeKey, makeKeyPair, sign, WebhookVerifier } from "@starcast/standard-webhooks";
import { expect, it } from "vitest";
import { asyncProperty, randomBytes, type Random } from "../property.ts";

const shared = makeKey();
const now = 1_700_000_000_000;

it("answers whatever strangers send with 400 and a code, and never runs the handler for it", async () => {
  const { publicKey } = await makeKeyPair();
  let handled = 0;
  const verifier = new WebhookVerifier({ keys: [shared, publicKey], now: () => now, onError: () => undefined });
  const receiver = verifier.receive(() => (handled += 1));
  const real = await sign({ id: "evt-1", timestamp: now, body: "{}", keys: shared });
  await asyncProperty(1500, async (random) => {
    const headers = new Headers();
    for (const [name, value] of Object.entries(real))
      if (random.integer(0, 9) > 0) headers.set(name, bent(random, value));
    // Never what was signed, so that the real headers are a forgery too: "{}" has two bytes.
    const body = new Uint8Array(randomBytes(random, random.pick([1, 3, 500])));
    const answer = await receiver.fetch(new Request("http://localhost/", { method: "POST", headers, body }));
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    expect([answer.status, error.code]).toEqual([400, expect.stringMatching(/^[a-z_]+$/)]);
    expect(error.message).toMatch(/^Expected /);
  });
  expect(handled).toBe(0);
});

/** The real value, or one with something cut, put in, doubled or replaced. */
function bent(random: Random, value: string): string {
  const at = random.integer(0, value.length);
  const stranger = random.pick(["", "0", "9", " ", ",", "=", ".", "v1,", "v1a,", "\u00ff", "A".repeat(300), value]);
  const bend = random.pick([
    () => value,
    () => value.slice(0, at) + stranger + value.slice(at),
    () => value.slice(0, at) + stranger,
    () => stranger + value.slice(at),
    () => `${value} ${value}`,
  ]);
  return bend();
}
