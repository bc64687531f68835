import { describe, expect, it } from "vitest";
import { property } from "../test/property.ts";
import { isWebhookError } from "./errors.ts";
import { headerLimits, parseHeaders, type HeaderSource } from "./headers.ts";

const v1 = `v1,${"A".repeat(43)}=`;
const v1a = `v1a,${"A".repeat(86)}==`;
const good = { "webhook-id": "evt-1", "webhook-timestamp": "1700000000", "webhook-signature": v1 };

describe("the three headers", () => {
  it("are read from Headers and from objects, in any case, alone in a list", () => {
    const expected = { id: "evt-1", timestamp: "1700000000", signatures: [{ version: "v1", text: v1.slice(3) }] };
    const sources: readonly HeaderSource[] = [
      good,
      new Headers(good),
      new Map(Object.entries(good)) as unknown as HeaderSource,
      { "Webhook-Id": "evt-1", "WEBHOOK-TIMESTAMP": ["1700000000"], "webhook-signature": v1, "x-list": ["a", "b"] },
    ];
    for (const source of sources) expect(parseHeaders(source)).toEqual(expected);
  });

  it.each(["webhook-id", "webhook-timestamp", "webhook-signature"])("are missed by name: %s", (name) => {
    for (const value of [undefined, ""]) {
      expect(() => parseHeaders({ ...good, [name]: value })).toThrow(`Expected the header \`${name}\``);
    }
    const others = new Headers(good);
    others.delete(name);
    for (const without of [{ ...good, [name]: undefined }, others]) {
      expect(() => parseHeaders(without)).toThrow(expect.objectContaining({ code: "missing_header" }));
    }
  });

  it("are read where the same name in another case holds nothing", () => {
    expect(parseHeaders({ "Webhook-Id": undefined, ...good, "WEBHOOK-ID": undefined }).id).toBe("evt-1");
  });

  it.each(["webhook-id", "webhook-timestamp", "webhook-signature"])("are refused when they come twice: %s", (name) => {
    const value = good[name as keyof typeof good];
    const twice = [
      { [name]: [value, value] },
      { [name]: value, [name.toUpperCase()]: value },
      { [name]: `${value}, ${value}` },
    ];
    for (const headers of twice) {
      expect(() => parseHeaders({ ...good, ...headers })).toThrow(
        expect.objectContaining({ code: "malformed_header" }),
      );
    }
  });

  it("are refused as anything but headers", () => {
    for (const headers of [null, undefined, "webhook-id: 1", 5]) {
      expect(() => parseHeaders(headers as unknown as HeaderSource)).toThrow("Expected `headers` to be Headers");
    }
  });
});

describe("webhook-id", () => {
  it.each(["a.b", "a b", "a,b", "a\tb", "ä", "a\u0000", "x".repeat(headerLimits.maxIdLength + 1)])(
    "is refused as %j",
    (id) => {
      expect(() => parseHeaders({ ...good, "webhook-id": id })).toThrow(
        expect.objectContaining({ code: "malformed_header" }),
      );
    },
  );

  it("may be one that other senders make", () => {
    for (const id of ["msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "evt:1/2+3=", "x".repeat(headerLimits.maxIdLength)]) {
      expect(parseHeaders({ ...good, "webhook-id": id }).id).toBe(id);
    }
  });
});

describe("webhook-timestamp", () => {
  it.each([
    "123abc",
    "abc",
    "-1",
    "+1",
    "1.5",
    "1e9",
    "0x10",
    " 1",
    "1 ",
    "01",
    "00",
    "١٢٣",
    "1_000",
    "NaN",
    "Infinity",
    "9".repeat(12),
  ])("is refused as %j", (timestamp) => {
    expect(() => parseHeaders({ ...good, "webhook-timestamp": timestamp })).toThrow("whole seconds since 1970");
  });
});

describe("webhook-signature", () => {
  it("may hold several, and versions nobody knows yet", () => {
    const { signatures } = parseHeaders({
      ...good,
      "webhook-signature": `${v1} v2,what-ever ${v1a} v1,${"B".repeat(42)}A=`,
    });
    expect(signatures.map(({ version }) => version)).toEqual(["v1", "v1a", "v1"]);
  });

  it("holds as many as keys can make, and not one more", () => {
    const { maxSignatures } = headerLimits;
    expect(
      parseHeaders({ ...good, "webhook-signature": Array(maxSignatures).fill(v1a).join(" ") }).signatures,
    ).toHaveLength(10);
    expect(() =>
      parseHeaders({
        ...good,
        "webhook-signature": Array(maxSignatures + 1)
          .fill("v9,a")
          .join(" "),
      }),
    ).toThrow("at most 10");
  });

  it("is at most 2048 characters long", () => {
    const longest = `${v1} v9,`.padEnd(2048, "a");
    expect(parseHeaders({ ...good, "webhook-signature": longest }).signatures).toHaveLength(1);
    expect(() => parseHeaders({ ...good, "webhook-signature": `${longest}a` })).toThrow("at most 2048 characters");
  });

  it.each([
    ["no version", "A".repeat(43)],
    ["nothing after the comma", "v1,"],
    ["two spaces", `${v1}  ${v1}`],
    ["a space at the end", `${v1} `],
    ["a comma between", `${v1}, ${v1}`],
    ["two commas", `v1,${"A".repeat(20)},${"A".repeat(22)}=`],
    ["base64url", `v1,${"-".repeat(43)}=`],
    ["no padding", v1.slice(0, -1)],
    ["bits left over", `v1,${"A".repeat(42)}B=`],
    ["31 bytes", `v1,${Buffer.alloc(31).toString("base64")}`],
    ["hexadecimal digits", `v1,${"a".repeat(64)}`],
    ["a v1a of 32 bytes", `v1a,${"A".repeat(43)}=`],
    ["an upper-case version", v1.toUpperCase()],
    ["a line break", `${v1}\n${v1}`],
  ])("is refused with %s", (_what, signature) => {
    expect(() => parseHeaders({ ...good, "webhook-signature": signature })).toThrow(
      expect.objectContaining({ code: "malformed_header" }),
    );
  });
});

describe("hostile headers", () => {
  it("are taken apart or refused by a code, whatever they are", () => {
    const pieces = [
      "v1",
      "v1a",
      ",",
      " ",
      "=",
      "A",
      "AAAA",
      v1,
      v1a,
      "\u0000",
      "é",
      "🚀",
      "1",
      ".",
      "\r\n",
      "__proto__",
      "a".repeat(300),
    ];
    property(3000, (random) => {
      const text = (): string => Array.from({ length: random.integer(0, 8) }, () => random.pick(pieces)).join("");
      const headers = { "webhook-id": text(), "webhook-timestamp": text(), "webhook-signature": text() };
      try {
        const { id, timestamp, signatures } = parseHeaders(headers);
        expect([id, timestamp]).toEqual([headers["webhook-id"], headers["webhook-timestamp"]]);
        expect(`${id}.${timestamp}.`.split(".")).toHaveLength(3);
        expect(signatures.length).toBeLessThanOrEqual(headerLimits.maxSignatures);
      } catch (error) {
        expect(
          isWebhookError(error, "missing_header") || isWebhookError(error, "malformed_header"),
          String(error),
        ).toBe(true);
      }
    });
  });
});
