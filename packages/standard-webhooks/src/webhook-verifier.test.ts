import { describe, expect, it } from "vitest";
import { makeKey } from "./key-making.ts";
import type { WebhookVerifierOptions } from "./options.ts";
import type { SeenIds } from "./seen-ids.ts";
import { sign } from "./signature.ts";
import { WebhookVerifier } from "./webhook-verifier.ts";

const key = makeKey();
const start = 1_700_000_000_000;
const isolated = { keys: key, now: () => start };

describe("a verifier", () => {
  it("gives the event of a Request, and of headers with the raw body", async () => {
    const verifier = new WebhookVerifier(isolated);
    const expected = { id: "evt-1", type: "model.added", data: { n: 1 }, sentAt: start };
    expect(await verifier.verify(await request())).toMatchObject(expected);
    const { headers, body } = await webhook();
    expect(await verifier.verify({ headers, body })).toMatchObject(expected);
    expect(await verifier.verify({ headers: new Headers(headers), body: Buffer.from(body) })).toMatchObject(expected);
    expect(await verifier.verify({ headers, body: { parsed: true }, rawBody: body })).toMatchObject(expected);
  });

  it("gives bare data to those who asked for it", async () => {
    const verifier = new WebhookVerifier({ ...isolated, payload: "data" });
    expect(await verifier.verify(await webhook({ body: "[1,2]" }))).toEqual({
      id: "evt-1",
      data: [1, 2],
      sentAt: start,
    });
  });

  it("refuses a body beyond its limit however it is handed over", async () => {
    const { headers, body } = await webhook();
    const exact = new WebhookVerifier({ ...isolated, maxBodyBytes: body.length });
    const less = new WebhookVerifier({ ...isolated, maxBodyBytes: body.length - 1 });
    for (const given of [{ body }, { rawBody: Buffer.from(body) }]) {
      expect(await exact.verify({ headers, ...given })).toMatchObject({ id: "evt-1" });
      await expect(less.verify({ headers, ...given })).rejects.toMatchObject({ code: "body_too_large" });
    }
  });

  it("remembers nothing of what it only verified", async () => {
    const verifier = new WebhookVerifier(isolated);
    const one = await webhook();
    await verifier.verify(one);
    expect(await verifier.handle(one, () => undefined)).toMatchObject({ isDuplicate: false });
    await expect(verifier.verify(one)).resolves.toMatchObject({ id: "evt-1" });
  });

  it.each([null, undefined, "request", 5, {}, { headers: null }])("refuses %j in place of a request", async (given) => {
    await expect(new WebhookVerifier(isolated).verify(given as unknown as Request)).rejects.toThrow(
      "in Hono: c.req.raw",
    );
  });
});

describe("a handled webhook", () => {
  it("is refused when the very same comes again, whichever of its signatures it shows", async () => {
    const other = makeKey();
    const verifier = new WebhookVerifier({ keys: [key, other], now: () => start });
    const { headers, body } = await webhook({ keys: [key, other] });
    await verifier.handle({ headers, body }, () => undefined);
    const [first = "", second = ""] = headers["webhook-signature"].split(" ");
    for (const signature of [`${first} ${second}`, first, second, `${second} ${first}`, `v9,x ${first}`]) {
      const replayed = verifier.handle(
        { headers: { ...headers, "webhook-signature": signature }, body },
        () => undefined,
      );
      await expect(replayed).rejects.toMatchObject({ code: "replayed" });
    }
  });

  it("is a duplicate when the sender tries again, and is handed over as one", async () => {
    const verifier = new WebhookVerifier(isolated);
    const seen: boolean[] = [];
    for (const timestamp of [start, start + 1000, start + 2000]) {
      await verifier.handle(await webhook({ timestamp }), ({ isDuplicate }) => seen.push(isDuplicate));
    }
    expect(seen).toEqual([false, true, true]);
  });

  it("is no duplicate while no handler has succeeded: a legitimate retry is never refused", async () => {
    const verifier = new WebhookVerifier(isolated);
    const failure = new Error("database away");
    const fail = (): never => {
      throw failure;
    };
    const one = await webhook();
    await expect(verifier.handle(one, fail)).rejects.toMatchObject({
      code: "handler_failed",
      retryable: true,
      cause: failure,
    });
    await expect(verifier.handle(one, async () => Promise.reject(failure))).rejects.toMatchObject({
      code: "handler_failed",
    });
    expect(await verifier.handle(one, () => undefined)).toMatchObject({ isDuplicate: false });
    expect(await verifier.handle(await webhook({ timestamp: start + 1000 }), () => undefined)).toMatchObject({
      isDuplicate: true,
    });
  });

  it("is refused while the very same is being handled, and handled at once when it is a retry", async () => {
    const verifier = new WebhookVerifier(isolated);
    const one = await webhook();
    const gate = openGate();
    const first = verifier.handle(one, async () => gate.promise);
    await expect(verifier.handle(one, () => undefined)).rejects.toMatchObject({ code: "replayed" });
    const retry = await verifier.handle(await webhook({ timestamp: start + 1000 }), () => undefined);
    expect(retry.isDuplicate).toBe(false);
    gate.resolve();
    expect((await first).isDuplicate).toBe(false);
  });

  it("is handled once when the very same comes many times at once", async () => {
    const verifier = new WebhookVerifier(isolated);
    const one = await webhook();
    let handled = 0;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, async () => verifier.handle(one, () => (handled += 1))),
    );
    expect(handled).toBe(1);
    const refused = outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason as unknown);
    expect(refused).toHaveLength(49);
    for (const reason of refused) expect(reason).toMatchObject({ code: "replayed" });
  });

  it("is known to its memory also when its handler takes longer than the tolerance", async () => {
    let now = start;
    const verifier = new WebhookVerifier({ keys: key, now: () => now });
    const one = await webhook();
    const gate = openGate();
    const first = verifier.handle(one, async () => gate.promise);
    await expect(verifier.handle(one, () => undefined)).rejects.toMatchObject({ code: "replayed" });
    now += 3_600_000;
    await expect(verifier.handle(one, () => undefined)).rejects.toMatchObject({ code: "timestamp_too_old" });
    gate.resolve();
    await first;
    const retry = await webhook({ timestamp: now });
    expect(await verifier.handle(retry, () => undefined)).toMatchObject({ isDuplicate: true });
  });

  it("is neither remembered nor compared with seenIds: false", async () => {
    const told: unknown[] = [];
    const options = { ...isolated, onError: (error: unknown) => void told.push(error) };
    const verifier = new WebhookVerifier({ ...options, seenIds: false });
    const one = await webhook();
    for (let round = 0; round < 3; round += 1) {
      expect((await verifier.handle(one, () => undefined)).isDuplicate).toBe(false);
    }
    expect(told).toEqual([]);
  });

  it("tells its memory what it needs to forget in time", async () => {
    const attempts: unknown[] = [];
    const verifier = new WebhookVerifier({ ...isolated, toleranceMs: 60_000, seenIds: recording(attempts) });
    await verifier.handle(await webhook(), () => undefined);
    expect(attempts).toMatchObject([
      {
        id: "evt-1",
        acceptableUntil: start + 61_000,
        content: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) as string,
      },
    ]);
  });
});

describe("a memory that fails", () => {
  const broken = new Error("disk full");

  it("before the handler: nothing is handled, the sender comes again", async () => {
    const verifier = new WebhookVerifier({ ...isolated, seenIds: recording([], { begin: broken }) });
    let handled = 0;
    await expect(verifier.handle(await webhook(), () => (handled += 1))).rejects.toMatchObject({
      code: "seen_ids_failed",
      retryable: true,
      cause: broken,
    });
    expect(handled).toBe(0);
  });

  it.each([undefined, true, "seen", "Replayed"])("by answering %j: nothing is handled", async (answer) => {
    const seenIds: SeenIds = { begin: () => answer as "first", succeed: () => undefined, fail: () => undefined };
    const verifier = new WebhookVerifier({ ...isolated, seenIds });
    let handled = 0;
    const outcome = verifier.handle(await webhook(), () => (handled += 1));
    await expect(outcome).rejects.toMatchObject({ code: "seen_ids_failed", retryable: true });
    await expect(outcome).rejects.toThrow("to answer first, repeated or replayed");
    expect(handled).toBe(0);
  });

  it("after the handler: what was handled stays handled, and onError is told", async () => {
    const told: unknown[] = [];
    const options = { ...isolated, onError: (error: unknown) => void told.push(error) };
    const verifier = new WebhookVerifier({ ...options, seenIds: recording([], { succeed: broken, fail: broken }) });
    expect(await verifier.handle(await webhook(), () => undefined)).toMatchObject({ isDuplicate: false });
    await expect(
      verifier.handle(await webhook({ timestamp: start + 1000 }), () => Promise.reject(new Error("no"))),
    ).rejects.toMatchObject({
      code: "handler_failed",
    });
    expect(told).toMatchObject([
      { code: "seen_ids_failed", cause: broken },
      { code: "seen_ids_failed", cause: broken },
    ]);
  });
});

describe("the options of a verifier", () => {
  it("refuse what they do not know, with the nearest that they do", () => {
    expect(() => new WebhookVerifier({ key } as unknown as WebhookVerifierOptions)).toThrow(
      "there is no such option (`keys`?)",
    );
    expect(() => new WebhookVerifier({ ...isolated, toleranceSeconds: 5 } as WebhookVerifierOptions)).toThrow(
      "(`toleranceMs`?)",
    );
  });

  it.each<[string, object]>([
    ["options", null as unknown as object],
    // As the constructors of other packages take it.
    ["options", key as unknown as object],
    ["keys", { keys: [] }],
    ["toleranceMs.past", { keys: key, toleranceMs: -1 }],
    ["maxBodyBytes", { keys: key, maxBodyBytes: 0 }],
    ["maxBodyBytes", { keys: key, maxBodyBytes: "1mb" }],
    ["bodyTimeoutMs", { keys: key, bodyTimeoutMs: 2 ** 31 }],
    ["bodyTimeoutMs", { keys: key, bodyTimeoutMs: Number.NaN }],
    ["payload", { keys: key, payload: "text" }],
    ["events", { keys: key, events: {} }],
    ["seenIds", { keys: key, seenIds: true }],
    ["seenIds", { keys: key, seenIds: { begin: () => "first" } }],
    ["onError", { keys: key, onError: "log" }],
    ["now", { keys: key, now: 5 }],
  ])("name the one that cannot be used: %s", (option, options) => {
    expect(() => new WebhookVerifier(options as WebhookVerifierOptions)).toThrow(`Expected \`${option}\` to be`);
  });

  it("take Infinity where somebody wants no limit", () => {
    expect(() => new WebhookVerifier({ keys: key, maxBodyBytes: Infinity, bodyTimeoutMs: Infinity })).not.toThrow();
  });

  it("refuse a key that is none, without showing it", () => {
    expect(() => new WebhookVerifier({ keys: "hunter2" })).toThrow("got a string of 7 characters");
  });
});

interface Given {
  readonly body?: string;
  readonly timestamp?: number;
  readonly keys?: readonly string[];
}

async function webhook({
  body = '{"type":"model.added","data":{"n":1}}',
  timestamp = start,
  keys = [key],
}: Given = {}) {
  return { headers: await sign({ id: "evt-1", timestamp, body, keys }), body };
}

async function request(): Promise<Request> {
  const { headers, body } = await webhook();
  return new Request("http://localhost/hook", { method: "POST", headers: { ...headers }, body });
}

function recording(attempts: unknown[], failures: Partial<Record<keyof SeenIds, Error>> = {}): SeenIds {
  const failing = (step: keyof SeenIds): void => {
    if (failures[step] !== undefined) throw failures[step];
  };
  return {
    begin: (attempt) => {
      failing("begin");
      attempts.push(attempt);
      return "first";
    },
    succeed: async () => failing("succeed"),
    fail: async () => failing("fail"),
  };
}

function openGate(): { promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((open) => (resolve = open));
  return { promise, resolve };
}
