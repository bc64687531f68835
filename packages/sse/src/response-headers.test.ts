import { describe, expect, it } from "vitest";
import { corsHeaders, preflightHeaders, streamHeaders } from "./response-headers.ts";

it("the head of a stream forbids storing, transforming and buffering", () => {
  expect(streamHeaders).toEqual({
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
  });
});

describe("a page of another origin", () => {
  it("may read the answer with its cookies when it is allowed", () => {
    expect(corsHeaders("https://app.example", true)).toMatchObject({
      "Access-Control-Allow-Origin": "https://app.example",
      "Access-Control-Allow-Credentials": "true",
      Vary: "Origin",
    });
  });

  it("gets nothing but Vary when it is not", () => {
    expect(corsHeaders("https://evil.example", false)).toEqual({ Vary: "Origin" });
    expect(corsHeaders(null, true)).toEqual({ Vary: "Origin" });
  });
});

describe("a preflight", () => {
  it("allows the fields the page asked for", () => {
    expect(preflightHeaders("authorization,x-api-key")).toMatchObject({
      "Access-Control-Allow-Headers": "authorization,x-api-key",
    });
  });

  it.each(["a\r\nSet-Cookie: x", "a b", "é", `${"a".repeat(65)}`, Array.from({ length: 33 }, () => "a").join(","), ""])(
    "never repeats %j",
    (fields) => {
      expect(preflightHeaders(fields)).toMatchObject({
        "Access-Control-Allow-Headers": "authorization, last-event-id",
      });
    },
  );
});
