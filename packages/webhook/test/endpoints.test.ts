import { MemoryStore, type Delivery } from "@starcast/core";
import { makeKey, makeKeyPair } from "@starcast/standard-webhooks";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { maxEndpoints } from "../src/endpoint-records.ts";
import { fakeTime } from "./fake-time.ts";
import { dataOf, house, listening, settled, verify } from "./house.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

describe("an endpoint that was put", () => {
  it("gets every event that it wants, signed with its keys", async () => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin] });
    const { keys } = await webhooks.endpoints.put({
      id: "partner",
      url: `${to.origin}/in?a=1`,
      types: ["model.*"],
      subjects: ["eu/*"],
    });
    const event = await broker.publish("model.added", { name: "ä" }, { subject: "eu/1" });
    await broker.publish("model.added", {}, { subject: "us/1" });
    await broker.publish("price.changed", {}, { subject: "eu/1" });
    await broker.close();
    expect(to.received).toHaveLength(1);
    const [got] = to.received;
    const { id, timestamp } = event;
    expect(JSON.parse(String(got?.body))).toEqual({
      id,
      type: "model.added",
      timestamp,
      subject: "eu/1",
      data: { name: "ä" },
    });
    expect(got).toMatchObject({ path: "/in?a=1", headers: { "content-type": "application/json", "webhook-id": id } });
    expect(await verify(got, keys)).toMatchObject({ id });
  });

  it("is understood by the reference implementation", async () => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin] });
    const { keys } = await webhooks.endpoints.put({ id: "partner", url: to.origin });
    const event = await broker.publish("model.added", { name: "日本" });
    await to.count(1);
    const [got] = to.received;
    expect(new Webhook(String(keys[0])).verify(got?.body ?? "", got?.headers as Record<string, string>)).toMatchObject({
      id: event.id,
    });
  });

  it("gets nothing from before it was put, in order of the log or not", async () => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin] });
    for (let count = 0; count < 20; count += 1) await broker.publish("a.b", count);
    await webhooks.endpoints.put({ id: "late", url: to.origin, ordering: "strict" });
    for (let count = 20; count < 25; count += 1) await broker.publish("a.b", count);
    await broker.close();
    expect(to.received.map(dataOf)).toEqual([20, 21, 22, 23, 24]);
  });

  it("signs with ed25519, with both kinds of keys, and with headers of its own", async () => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin] });
    const pair = await makeKeyPair();
    const shared = makeKey();
    const { keys, keyLabels, headerNames } = await webhooks.endpoints.put({
      id: "both",
      url: to.origin,
      keys: [pair.privateKey, shared],
      headers: { Authorization: "Bearer hunter2" },
    });
    expect(keys).toEqual([pair.publicKey, shared]);
    const shown = JSON.stringify([keyLabels, headerNames]);
    for (const secret of [shared.slice(12), "hunter2"]) expect(shown).not.toContain(secret);
    await broker.publish("a.b", {});
    await to.count(1);
    const [got] = to.received;
    expect(got?.headers["webhook-signature"]).toMatch(/^v1a,\S+ v1,\S+$/);
    expect(got?.headers["authorization"]).toBe("Bearer hunter2");
    await verify(got, [pair.publicKey]);
    await verify(got, [shared]);
  });

  it.each([
    ["data", "application/json", { n: 1 }],
    [
      "cloudevents",
      "application/cloudevents+json; charset=utf-8",
      expect.objectContaining({
        specversion: "1.0",
        source: "/catalog",
        type: "a.b",
        subject: "ü 1",
        data: { n: 1 },
      }) as unknown,
    ],
    ["cloudevents-binary", "application/json", { n: 1 }],
  ] as const)("gets its events as %s", async (format, contentType, body) => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin], source: "/catalog" });
    await webhooks.endpoints.put({ id: "formatted", url: to.origin, format });
    const { id } = await broker.publish("a.b", { n: 1 }, { subject: "ü 1" });
    await to.count(1);
    const [got] = to.received;
    expect(got?.headers["content-type"]).toBe(contentType);
    expect(JSON.parse(String(got?.body))).toEqual(body);
    if (format === "cloudevents-binary") {
      expect(got?.headers).toMatchObject({
        "ce-id": id,
        "ce-source": "/catalog",
        "ce-type": "a.b",
        "ce-subject": "%C3%BC%201",
        "ce-specversion": "1.0",
      });
    }
  });

  it("is refused what it cannot have", async () => {
    const { webhooks } = house();
    const put = (options: object): Promise<unknown> =>
      webhooks.endpoints.put({ id: "a", url: "https://hooks.partner.com/", ...options });
    await expect(put({ url: "http://hooks.partner.com/" })).rejects.toThrow("Expected `url` to be an https URL");
    await expect(put({ url: "http://localhost:4000/" })).rejects.toThrow("Expected `url`");
    await expect(put({ id: "a b" })).rejects.toThrow("Expected `id`");
    await expect(put({ format: "cloudevents" })).rejects.toThrow("Expected the dispatcher's `source`");
    await expect(put({ typs: ["a.b"] })).rejects.toThrow("did you mean `types`?");
    await expect(put({ types: ["a"] })).rejects.toThrow("Expected a type pattern");
    await expect(put({ headers: { "webhook-id": "x" } })).rejects.toThrow("Expected `headers`");
    await expect(put({ headers: { "x-a": "b\r\nc: d" } })).rejects.toThrow("Expected `headers.x-a`");
    await expect(put({ headers: "token: hunter2" })).rejects.toThrow("an object of texts, got a text of 14 characters");
    await expect(put({ headers: { "x-a": "hunter2\n" } })).rejects.toThrow(
      "ASCII characters, got a text of 8 characters",
    );
    await expect(put({ keys: ["whsec_short"] })).rejects.toThrow("whsec_");
    await expect(put({ keys: "whsec_short" })).rejects.toThrow("a list of 1 to 10 keys, got a text of 11 characters");
    await expect(put({ metadata: { ["x".repeat(5_000)]: "" } })).rejects.toThrow("Expected `metadata`");
    await expect(put({ metadata: "partner" })).rejects.toThrow("Expected `metadata`");
    await expect(webhooks.endpoints.rotate("nobody")).rejects.toMatchObject({ code: "not_found" });
    await expect(webhooks.endpoints.test("nobody")).rejects.toMatchObject({ code: "not_found" });
    expect(await webhooks.endpoints.list()).toEqual([]);
  });

  it.each([
    ["a name that is reserved, in any letter case", { "WebHook-ID": "x" }],
    ["another of the transport's own", { "Transfer-Encoding": "chunked" }],
    ["one that would change the target", { HOST: "localhost" }],
    ["one of CloudEvents", { "Ce-Id": "x" }],
    ["one of proxies", { "Proxy-Authorization": "x" }],
    ["the same name twice, in two letter cases", { "X-Token": "a", "x-token": "b" }],
    ["a name with a line break", { "x-a\r\nhost": "b" }],
    ["a name with a space", { "x a": "b" }],
    ["a name with a colon", { "x-a:": "b" }],
    ["an empty name", { "": "b" }],
    ["a name in another alphabet", { "x-\u0430": "b" }],
    ["a letter that is another's lower case", { "\u212aeep-alive": "b" }],
    ["a value with a line feed alone", { "x-a": "b\nc: d" }],
    ["a value with a carriage return alone", { "x-a": "b\rc: d" }],
    ["a value with a NUL", { "x-a": "b\0" }],
    ["a value in Latin-1", { "x-a": "caf\u00e9" }],
    ["a value whose low byte is a line break", { "x-a": "b\u010a\u010d" }],
    ["a value that ends with a space", { "x-a": "b " }],
    ["an empty value", { "x-a": "" }],
    ["a value that is none", { "x-a": 1 }],
    ["a value that is too long", { "x-a": "b".repeat(4_097) }],
    ["too many", Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`x-${index}`, "b"]))],
    ["a list of them", ["x-a", "b"]],
    ["a text", "x-a: b"],
  ])("is refused headers with %s", async (_, headers) => {
    const { webhooks } = house();
    const put = webhooks.endpoints.put({
      id: "a",
      url: "https://hooks.partner.com/",
      headers: headers as Record<string, string>,
    });
    await expect(put).rejects.toThrow("Expected `headers");
    expect(await webhooks.endpoints.list()).toEqual([]);
  });

  it("is not changed by what the service does to its own lists later", async () => {
    const { webhooks } = house();
    const types = ["a.*"];
    await webhooks.endpoints.put({ id: "a", url: "https://hooks.partner.com/", types });
    types.push("**");
    expect(await webhooks.endpoints.get("a")).toMatchObject({ types: ["a.*"] });
  });

  it("is refused when there are as many as there can be", async () => {
    const { webhooks } = house({ allow: ["http://127.0.0.1:1"] });
    const put = (id: number): Promise<unknown> => webhooks.endpoints.put({ id: `e${id}`, url: "http://127.0.0.1:1" });
    for (let id = 0; id < maxEndpoints; id += 1) await put(id);
    await expect(put(maxEndpoints)).rejects.toMatchObject({ code: "overloaded" });
    await webhooks.endpoints.remove("e7");
    await put(maxEndpoints);
  });

  it("keeps its keys and its state when it is put again", async () => {
    const { webhooks } = house();
    const first = await webhooks.endpoints.put({ id: "a", url: "https://one.partner.com/" });
    await webhooks.endpoints.pause("a");
    const again = await webhooks.endpoints.put({ id: "a", url: "https://two.partner.com/", types: ["a.*"] });
    expect(again).toMatchObject({
      keys: first.keys,
      url: "https://two.partner.com/",
      types: ["a.*"],
      state: { kind: "paused" },
      startsAfter: first.startsAfter,
    });
    expect((await webhooks.endpoints.list()).map(({ id }) => id)).toEqual(["a"]);
  });
});

describe("the service", () => {
  it("pauses an endpoint: its deliveries wait, and come when it is unpaused", async () => {
    const to = await listening();
    const at = house({ allow: [to.origin] });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin, ordering: "strict" });
    await at.webhooks.endpoints.pause("partner");
    for (const data of [1, 2, 3]) await at.broker.publish("a.b", data);
    await settled(at);
    expect(to.received).toHaveLength(0);
    expect(await at.webhooks.deliveries.backlog("partner")).toMatchObject({ pending: 3 });
    await at.webhooks.endpoints.unpause("partner");
    await to.count(3);
    expect(to.received.map(dataOf)).toEqual([1, 2, 3]);
  });

  it("rotates keys: both sign until the overlap ends, then only the new one", async () => {
    const time = fakeTime(Date.now());
    const to = await listening();
    const at = house({ allow: [to.origin], surroundings: time });
    const {
      keys: [old],
    } = await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const {
      keys: [fresh],
    } = await at.webhooks.endpoints.rotate("partner");
    await at.broker.publish("a.b", 1);
    await settled(at);
    await verify(to.received[0], [String(old)], time.clock.now());
    await verify(to.received[0], [String(fresh)], time.clock.now());
    await time.advanceTo(time.clock.now() + 24 * hour);
    await at.broker.publish("a.b", 2);
    await settled(at);
    await expect(verify(to.received[1], [String(old)], time.clock.now())).rejects.toMatchObject({
      code: "no_matching_key",
    });
    await verify(to.received[1], [String(fresh)], time.clock.now());
  });

  it("rotates keys with an overlap of any length, which a restart does not change", async () => {
    const store = new MemoryStore();
    const time = fakeTime(Date.now());
    const to = await listening();
    const first = house({ allow: [to.origin], store, surroundings: time });
    const ids = ["a-day", "for-ever"];
    for (const id of ids) await first.webhooks.endpoints.put({ id, url: `${to.origin}/${id}` });
    await first.webhooks.endpoints.rotate("a-day");
    await first.webhooks.endpoints.rotate("for-ever", { overlapMs: Infinity });
    await first.webhooks.close();
    const next = house({ allow: [to.origin], store, surroundings: time });
    const signatures = async (): Promise<readonly (readonly [string, number])[]> => {
      const before = to.received.length;
      await next.broker.publish("a.b", {});
      await settled(next);
      return to.received
        .slice(before)
        .map(({ path, headers }) => [path, String(headers["webhook-signature"]).split(" ").length] as const)
        .toSorted();
    };
    await time.advanceTo(time.clock.now() + 24 * hour - minute);
    expect(await signatures()).toEqual([
      ["/a-day", 2],
      ["/for-ever", 2],
    ]);
    await time.advanceTo(time.clock.now() + minute);
    expect(await signatures()).toEqual([
      ["/a-day", 1],
      ["/for-ever", 2],
    ]);
    // As many keys as a verifier takes, however often.
    for (let count = 0; count < 20; count += 1) await next.webhooks.endpoints.rotate("a-day");
    expect((await signatures())[0]).toEqual(["/a-day", 10]);
    expect(next.all("webhookEndpointUnreadable")).toEqual([]);
  });

  it("rotates to nothing that cannot sign, and by no option that there is not", async () => {
    const { webhooks } = house();
    const { keys } = await webhooks.endpoints.put({ id: "partner", url: "https://hooks.partner.com/" });
    const { publicKey } = await makeKeyPair();
    const rotate = (options: object): Promise<unknown> => webhooks.endpoints.rotate("partner", options);
    await expect(rotate({ key: publicKey })).rejects.toThrow("Expected `key` to be a key that can sign");
    await expect(rotate({ overlap: 1 })).rejects.toThrow("did you mean `overlapMs`?");
    expect((await webhooks.endpoints.put({ id: "partner", url: "https://hooks.partner.com/" })).keys).toEqual(keys);
  });

  it("is refused a selection that it misspelt, which would be of everything", async () => {
    const { webhooks } = house();
    const { deliveries, deadLetters } = webhooks;
    const misspelt = { endpointID: "partner" } as object;
    await expect(deliveries.redeliver(misspelt)).rejects.toThrow("did you mean `endpointId`?");
    await expect(deadLetters.redeliver(misspelt)).rejects.toThrow("did you mean `endpointId`?");
    await expect(deliveries.list(misspelt)).rejects.toThrow("did you mean `endpointId`?");
    await expect(deliveries.list({ states: ["ded"] as never })).rejects.toThrow("Expected `states`");
    for (const limit of [0, 10_001, 1.5])
      await expect(deliveries.list({}, { limit })).rejects.toThrow("Expected `limit`");
  });

  it("removes an endpoint, and its deliveries with it", async () => {
    const to = await listening();
    const at = house({ allow: [to.origin] });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await at.webhooks.endpoints.pause("partner");
    const { id } = await at.broker.publish("a.b", 1);
    await settled(at);
    expect(await at.webhooks.endpoints.remove("partner")).toBe(true);
    expect(await at.webhooks.endpoints.remove("partner")).toBe(false);
    expect(await at.webhooks.deliveries.get("partner", id)).toBeNull();
    await at.broker.close();
    expect(to.received).toHaveLength(0);
  });

  it("tests an endpoint without leaving a trace", async () => {
    const to = await listening((_, response) => response.writeHead(401).end("who are you?"));
    const { webhooks } = house({ allow: [to.origin] });
    const { keys } = await webhooks.endpoints.put({ id: "partner", url: to.origin });
    await webhooks.endpoints.pause("partner");
    expect(await webhooks.endpoints.test("partner")).toMatchObject({
      category: "http_401",
      status: 401,
      answer: "who are you?",
    });
    expect(to.received).toHaveLength(1);
    await verify(to.received[0], keys);
    expect((await webhooks.deliveries.list({})).deliveries).toEqual([]);
  });

  it("finds deliveries by endpoint, event, state and time", async () => {
    const to = await listening((got, response) => response.writeHead(dataOf(got) === 1 ? 410 : 204).end());
    const other = await listening();
    const at = house({ allow: [to.origin, other.origin] });
    await at.webhooks.endpoints.put({ id: "other", url: other.origin });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const { id } = await at.broker.publish("a.b", 1);
    await at.seen("webhookEndpointDisabled");
    await other.count(1);
    await settled(at);
    const found = async (selection: object): Promise<string[]> =>
      (await at.webhooks.deliveries.list(selection)).deliveries
        .map(({ endpointId, state }: Delivery) => `${endpointId} ${state.kind}`)
        .toSorted();
    expect(await found({ eventId: id })).toEqual(["other succeeded", "partner dead"]);
    expect(await found({ endpointId: "partner" })).toEqual(["partner dead"]);
    expect(await found({ states: ["succeeded"] })).toEqual(["other succeeded"]);
    expect(await found({ until: 0 })).toEqual([]);
  });
});
