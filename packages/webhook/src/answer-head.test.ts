import { describe, expect, it } from "vitest";
import { parseAnswerHead } from "./answer-head.ts";

const head = (...lines: string[]): string => lines.join("\r\n");

describe("the head of an answer", () => {
  it.each([
    ["a length", head("HTTP/1.1 200 OK", "Content-Length: 5"), { kind: "bytes", bytes: 5 }],
    ["a length of nothing", head("HTTP/1.1 200 OK", "content-length:0"), { kind: "none" }],
    ["chunks", head("HTTP/1.1 200 OK", "Transfer-Encoding: Chunked"), { kind: "chunks" }],
    [
      "chunks of something coded",
      head("HTTP/1.1 200", "TRANSFER-ENCODING: gzip", "transfer-encoding: chunked"),
      { kind: "chunks" },
    ],
    [
      "a coding that ends with the connection",
      head("HTTP/1.1 200 OK", "transfer-encoding: gzip"),
      { kind: "until_close" },
    ],
    ["no length", "HTTP/1.1 500 ", { kind: "until_close" }],
    ["a status without a body", head("HTTP/1.1 204 No Content", "content-length: 5"), { kind: "none" }],
    ["a status of something unchanged", "HTTP/1.1 304 Not Modified", { kind: "none" }],
    ["an interim status", head("HTTP/1.1 103 Early Hints", "link: <x>"), { kind: "none" }],
  ])("says how long its body is: %s", (_, text, body) => {
    expect(parseAnswerHead(text)?.body).toEqual(body);
  });

  it.each([
    ["nothing", "HTTP/1.1 204 No Content", Infinity],
    ["that it closes", head("HTTP/1.1 204 No Content", "Connection: x, Close"), 0],
    ["that it closes, in a second field", head("HTTP/1.1 204 No Content", "connection: x", "connection: close"), 0],
    ["nothing, in HTTP/1.0", "HTTP/1.0 204 No Content", 0],
    ["that it stays, in HTTP/1.0", head("HTTP/1.0 204 No Content", "connection: keep-alive"), Infinity],
    ["for how long it stays", head("HTTP/1.1 204 No Content", "Keep-Alive: max=9, timeout=5"), 5_000],
    ["no length: its end is the connection's", "HTTP/1.1 200 OK", 0],
  ])("says how long the connection is kept: %s", (_, text, keptMs) => {
    expect(parseAnswerHead(text)?.keptMs).toBe(keptMs);
  });

  it("gives what matters here, the first of each, without its spaces", () => {
    const text = head("HTTP/1.1 503 Busy", "retry-after:\t7 ", "Retry-After: 8", "Webhook-Delivery: disable");
    expect(parseAnswerHead(text)).toMatchObject({ status: 503, headers: { retryAfter: "7", delivery: "disable" } });
  });

  it.each([
    ["another protocol", "SSH-2.0-OpenSSH_9.2"],
    ["another version", "HTTP/2.0 200 OK"],
    ["a status of two digits", "HTTP/1.1 20 OK"],
    ["a status of four digits", "HTTP/1.1 2000 OK"],
    ["a status from nowhere", "HTTP/1.1 042 OK"],
    ["no status", "HTTP/1.1  OK"],
    ["a line without a colon", head("HTTP/1.1 200 OK", "nonsense")],
    ["a field without a name", head("HTTP/1.1 200 OK", ": x")],
    ["a space before the colon", head("HTTP/1.1 200 OK", "Content-Length : 5")],
    ["a folded line", head("HTTP/1.1 200 OK", "X-Long: a", " b: c")],
    ["an empty line", head("HTTP/1.1 200 OK", "", "x: y")],
    ["a line feed alone", "HTTP/1.1 200 OK\nx: y"],
    ["a carriage return alone", head("HTTP/1.1 200 OK", "x: y\rz: a")],
    ["a NUL", head("HTTP/1.1 200 OK", "x: \0")],
    ["two lengths", head("HTTP/1.1 200 OK", "content-length: 1", "content-length: 1")],
    ["a list of lengths", head("HTTP/1.1 200 OK", "content-length: 1, 1")],
    ["a negative length", head("HTTP/1.1 200 OK", "content-length: -1")],
    ["a length in another base", head("HTTP/1.1 200 OK", "content-length: 0x10")],
    ["a length beyond exact numbers", head("HTTP/1.1 200 OK", `content-length: ${"9".repeat(16)}`)],
    ["a length beside chunks", head("HTTP/1.1 200 OK", "content-length: 1", "transfer-encoding: chunked")],
  ])("is refused with %s", (_, text) => {
    expect(parseAnswerHead(text)).toBeNull();
  });
});
