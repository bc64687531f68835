import { describe, expect, it } from "vitest";
import { readClientMessage } from "./client-message.ts";

describe("what a client says", () => {
  it.each([
    [{ op: "subscribe" }, { op: "subscribe", types: undefined, subjects: undefined, after: undefined }],
    [
      { op: "subscribe", types: ["a.b"], subjects: [], after: "k-1" },
      { op: "subscribe", types: ["a.b"], subjects: [], after: "k-1" },
    ],
    [
      { op: "token", token: "t" },
      { op: "token", token: "t" },
    ],
  ])("may be %j", (message, operation) => {
    expect(readClientMessage(JSON.stringify(message))).toEqual({ kind: "operation", operation });
  });

  it.each([
    ["", "unknown", "invalid_message"],
    ["null", "unknown", "invalid_message"],
    ["[]", "unknown", "invalid_message"],
    ["{}", "unknown", "invalid_message"],
    [`{"op":1}`, "unknown", "invalid_message"],
    [`{"op":"dance"}`, "dance", "unknown_operation"],
    [`{"op":"<script>"}`, "unknown", "unknown_operation"],
    [`{"op":"${"x".repeat(33)}"}`, "unknown", "unknown_operation"],
    [`{"op":"subscribe","types":"a.b"}`, "subscribe", "invalid_message"],
    [`{"op":"subscribe","types":[1]}`, "subscribe", "invalid_message"],
    [`{"op":"subscribe","after":1}`, "subscribe", "invalid_message"],
    [`{"op":"subscribe","typse":["a.b"]}`, "subscribe", "invalid_message"],
    [`{"op":"token"}`, "token", "invalid_message"],
    [`{"op":"token","token":""}`, "token", "invalid_message"],
  ])("is refused when it is %s", (text, op, code) => {
    expect(readClientMessage(text)).toEqual({ kind: "refused", op, code });
  });
});
