import { afterEach, describe, expect, it, vi } from "vitest";
import type { Transport } from "./client-state.ts";
import { positionKey, readUrl, requestUrl } from "./request-url.ts";

afterEach(() => void vi.unstubAllGlobals());

describe("the URL of a client", () => {
  it.each([
    ["http://a.test/events", "http://a.test/events"],
    ["https://a.test/events", "https://a.test/events"],
    ["ws://a.test/events", "http://a.test/events"],
    ["wss://a.test:8443/events?tenant=1#part", "https://a.test:8443/events?tenant=1"],
    [new URL("http://a.test/"), "http://a.test/"],
  ])("%s is read as %s", (url, read) => {
    expect(readUrl(url).href).toBe(read);
  });

  it.each(["/events", "", "file:///etc/passwd", "javascript:alert(1)", 7, null, undefined, {}])("is not %s", (url) => {
    expect(() => readUrl(url)).toThrow(expect.objectContaining({ code: "invalid_option" }));
  });

  it("may be relative to its page", () => {
    vi.stubGlobal("location", { href: "https://a.test/catalog/index.html#top" });
    expect(readUrl("/events").href).toBe("https://a.test/events");
    expect(readUrl("events?x=1").href).toBe("https://a.test/catalog/events?x=1");
    expect(readUrl("//b.test/events").href).toBe("https://b.test/events");
  });
});

describe("the URL of one try", () => {
  const tryOf = (href: string, transport: Transport): string =>
    requestUrl({ url: new URL(href), types: null, subjects: null, after: "latest", transport });

  it("has the scheme of its transport", () => {
    expect(tryOf("http://a.test/e", "websocket")).toMatch(/^ws:\/\/a\.test\/e\?/);
    expect(tryOf("https://a.test/e", "websocket")).toMatch(/^wss:\/\/a\.test\/e\?/);
    expect(tryOf("https://a.test/e", "sse")).toMatch(/^https:\/\/a\.test\/e\?/);
  });

  it("keeps what the URL says but for filter and place, which are the client's", () => {
    const url = new URL("http://a.test/e?tenant=1&lastEventId=x-1&subjects=old&types=old");
    const asked = { types: ["a.*", "b.c"], subjects: ["x,y", "z*"], after: "k-7", transport: "sse" } as const;
    const tried = new URL(requestUrl({ url, ...asked }));
    expect([...tried.searchParams].toSorted()).toEqual([
      ["lastEventId", "k-7"],
      ["subjects", "x,y"],
      ["subjects", "z*"],
      ["tenant", "1"],
      ["types", "a.*,b.c"],
    ]);
  });
});

describe("what a position is kept under", () => {
  const url = new URL("http://a.test/e");

  it("is the same for the same filter, however it is written", () => {
    const one = positionKey({ url, types: ["b.*", "a.*"], subjects: null });
    expect(positionKey({ url, types: ["a.*", "b.*", "a.*"], subjects: null })).toBe(one);
  });

  it("is another for another filter or URL", () => {
    const keys = [
      positionKey({ url, types: null, subjects: null }),
      positionKey({ url, types: ["a.*"], subjects: null }),
      positionKey({ url, types: null, subjects: ["a.*"] }),
      positionKey({ url: new URL("http://a.test/f"), types: null, subjects: null }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
