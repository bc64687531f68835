import { makeKey, sign, verify } from "@starcast/standard-webhooks";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { afterEach, describe, expect, it, vi } from "vitest";
import { asyncProperty } from "./property.ts";
import { bytesOf, invalid, keys, valid, type Vector } from "./vectors.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe.each([
  ["standardwebhooks", StandardWebhook],
  ["svix", SvixWebhook],
])("npm %s", (name, Peer) => {
  it("accepts what is signed here, and is accepted, for any text", async () => {
    await asyncProperty(200, async (random) => {
      const key = makeKey({ bytes: random.integer(24, 64) });
      const peer = new Peer(key);
      const id = `evt_${random.integer(0, 999_999)}`;
      const pieces = ["a", "é", "🚀", '"', "\\", "\n", "\u0000", "日本", ".", "1700000000", " "];
      const text = Array.from({ length: random.integer(0, 40) }, () => random.pick(pieces)).join("");
      const body = JSON.stringify({ type: "model.added", data: text });
      const timestamp = new Date();

      const ours = await sign({ id, timestamp, body, keys: [makeKey(), key] });
      expect(peer.verify(body, { ...ours })).toMatchObject({ data: text });

      const theirs = { ...ours, "webhook-signature": peer.sign(id, timestamp, body) };
      expect((await verify({ headers: theirs, body, keys: key })).id).toBe(id);
      expect(ours["webhook-signature"].split(" ")[1]).toBe(theirs["webhook-signature"]);
    });
  });

  describe("on the vectors", () => {
    const shared = valid.filter((vector) => peerKeys(vector).length > 0);

    it.each(shared.filter((vector) => isText(vector)))("accepts $name", (vector) => {
      expect(verdictOf(Peer, vector)).toBe("accept");
    });

    it.each(shared.filter((vector) => !isText(vector)))("refuses what it hashes as text: $name", (vector) => {
      expect(verdictOf(Peer, vector)).toBe("refuse");
    });

    it.each(invalid.filter((vector) => peerKeys(vector).length > 0))("says what is written of it: $name", (vector) => {
      expect(verdictOf(Peer, vector)).toBe(vector.acceptedBy?.includes(name) ? "accept" : "refuse");
    });

    it.each(valid.filter((vector) => peerKeys(vector).length === 0))("has no ed25519: $name", (vector) => {
      expect(() => new Peer(vector.keys[0]?.key ?? "").verify(bytesOf(vector), { ...vector.headers })).toThrow();
    });

    it.each(keys.invalid)("says what is written of a key of $name", ({ key, acceptedBy = [] }) => {
      expect(takesKey(Peer, key)).toBe(acceptedBy.includes(name));
    });
  });
});

type PeerClass = typeof StandardWebhook | typeof SvixWebhook;

/** They take one key; a receiver with several has to try them in turn. */
function verdictOf(Peer: PeerClass, vector: Vector): "accept" | "refuse" {
  vi.useFakeTimers({ toFake: ["Date"], now: vector.now });
  return peerKeys(vector).some((key) => isAccepted(new Peer(key), vector)) ? "accept" : "refuse";
}

function isAccepted(peer: InstanceType<PeerClass>, vector: Vector): boolean {
  try {
    peer.verify(bytesOf(vector), { ...vector.headers });
    return true;
  } catch (error) {
    // They parse JSON after the signature was found right.
    return error instanceof SyntaxError;
  }
}

function takesKey(Peer: PeerClass, key: string): boolean {
  try {
    return new Peer(key) instanceof Peer;
  } catch {
    return false;
  }
}

function peerKeys(vector: Vector): readonly string[] {
  return vector.keys.map(({ key }) => key).filter((key) => key.startsWith("whsec_"));
}

function isText(vector: Vector): boolean {
  const bytes = bytesOf(vector);
  return Buffer.from(bytes.toString()).equals(bytes);
}
