import { reject } from "@starcast/core/gateway";
import { describe, expect, it } from "vitest";
import { answerHead, answerMethod, answerRejected } from "./answer.ts";
import { corsHeaders } from "./response-headers.ts";

const allowed = corsHeaders("https://app.example", true);
const none = corsHeaders(null, false);

describe("a method", () => {
  it.each(["GET", "HEAD"])("%s needs to be judged first", (method) => {
    expect(answerMethod(method, none, null)).toBeNull();
  });

  it.each(["POST", "PUT", "DELETE", "TRACE", "get", "M-SEARCH", ""])(
    "%j is answered 405 with what is allowed",
    (method) => {
      expect(answerMethod(method, allowed, null)).toMatchObject({
        status: 405,
        headers: { Allow: "GET, HEAD, OPTIONS", "Access-Control-Allow-Origin": "https://app.example" },
      });
    },
  );

  it("OPTIONS permits nothing to an origin that is not allowed", () => {
    expect(answerMethod("OPTIONS", none, "authorization")).toEqual({
      status: 204,
      headers: { Vary: "Origin", Allow: "GET, HEAD, OPTIONS" },
      body: null,
    });
  });
});

describe("somebody who is not let in", () => {
  it("learns the code and what to do", () => {
    const answer = answerRejected(reject("too_many_of_identity"), none, false);
    expect(answer).toMatchObject({ status: 429, headers: { "retry-after": "30", "Cache-Control": "no-store" } });
    expect(JSON.parse(answer.body ?? "")).toMatchObject({ code: "too_many_of_identity" });
  });

  it("stays away when it came back by itself and is not authorized any more", () => {
    expect(answerRejected(reject("not_authorized"), none, true)).toMatchObject({ status: 204, body: null });
    expect(answerRejected(reject("not_authorized"), none, false)).toMatchObject({ status: 401 });
  });

  it.each(["draining", "too_many_new", "authorize_timed_out"] as const)("may come back later when it is %s", (code) => {
    expect(answerRejected(reject(code), none, true)).toMatchObject({ status: 503 });
  });
});

it("HEAD gets what GET would, but for the body", () => {
  expect(answerHead(allowed)).toMatchObject({
    status: 200,
    headers: { "Content-Type": "text/event-stream", Vary: "Origin" },
    body: null,
  });
});
