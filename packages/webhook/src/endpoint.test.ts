import { makeKey } from "@starcast/standard-webhooks";
import { describe, expect, it } from "vitest";
import {
  describeEndpoint,
  formatEndpoint,
  ownerOf,
  parseEndpoint,
  parseLocked,
  type EndpointRecord,
} from "./endpoint.ts";
import { SecretBox } from "./secret-box.ts";

const key = makeKey();
const position = { epoch: "e1", offset: 7 };
const record: EndpointRecord = {
  id: "partner",
  dispatcher: "webhooks",
  url: "https://hooks.partner.com/in?a=1",
  types: ["model.*", "**"],
  subjects: ["eu/*", "\u{1f600}"],
  format: "cloudevents-binary",
  concurrency: 3,
  ratePerSecond: 7,
  ordering: "subject",
  allowHttp: true,
  metadata: { tenant: "t1", ["__proto__"]: "x" },
  state: { kind: "disabled", at: 3, reason: "failing", position },
  createdAt: 1,
  startsAfter: { epoch: "e0", offset: 0 },
  failingSince: 2,
  catchUp: { after: position },
  keys: [
    { key, expiresAt: Infinity },
    { key: makeKey(), expiresAt: 5 },
  ],
  headers: { authorization: "Bearer hunter2", ["__proto__"]: "x" },
};
const boxes = [new SecretBox([]), new SecretBox([Buffer.alloc(32, 1).toString("base64")])];

describe("an endpoint as it is stored", () => {
  it.each([
    ["with everything", {}],
    [
      "with nothing",
      { types: undefined, subjects: undefined, metadata: {}, headers: {}, catchUp: null, failingSince: null },
    ],
    ["without a rate", { ratePerSecond: Infinity }],
    ["active", { state: { kind: "active" } }],
    ["paused", { state: { kind: "paused", at: 9 } }],
  ] as const)("is the same when it is read, sealed or not: %s", (_, changes) => {
    const given: EndpointRecord = { ...record, ...changes };
    for (const box of boxes) expect(parseEndpoint(formatEndpoint(given, box), box)).toEqual(given);
  });

  it("shows nothing secret when it is sealed, and everything else even then", () => {
    const [, box] = boxes;
    const text = formatEndpoint(record, box ?? new SecretBox([]));
    for (const { key: secret } of record.keys) expect(text).not.toContain(secret);
    expect(text).not.toContain("hunter2");
    expect(parseLocked(text)).toEqual({ ...record, keys: [], headers: {} });
    expect(ownerOf(text)).toBe("webhooks");
  });

  it.each(["", "{", "null", "[]", '{"version":2}', '{"version":1}', '{"version":1,"startsAfter":"x"}'])(
    "is nobody's, and refused, where it is %j",
    (text) => {
      expect(ownerOf(text)).toBeNull();
      expect(parseLocked(text)).toBeNull();
      for (const box of boxes)
        expect(() => parseEndpoint(text, box)).toThrow(expect.objectContaining({ code: "store_corrupt" }));
    },
  );

  it("is described without its secrets", () => {
    const shown = JSON.stringify(describeEndpoint(record));
    for (const secret of [...record.keys.map((each) => each.key.slice(10)), "hunter2", "dispatcher", "catchUp"])
      expect(shown).not.toContain(secret);
    expect(describeEndpoint(record)).toMatchObject({
      headerNames: ["authorization", "__proto__"],
      metadata: { tenant: "t1" },
    });
  });
});
