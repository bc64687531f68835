import { Buffer } from "node:buffer";
import { request } from "node:http";
import { seededRandom } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { rawReceiver } from "../test/loopback.ts";
import { AnswerReader, type AnswerLimits } from "./answer-reader.ts";
import type { Answer } from "./outcome.ts";

interface Read {
  readonly answer: Answer | null;
  readonly keepMs: number;
}

/** What the reader makes of these parts of a stream; with `isEnded`, the stream ends after them. */
function read(parts: readonly Buffer[], isEnded: boolean, limits: Partial<AnswerLimits> = {}): Read {
  let answer: Answer | null = null;
  let keepMs = -1;
  const reader = new AnswerReader(
    { maxAnswerHeadBytes: 400, maxAnswerBytes: 400, keptAnswerBytes: 300, ...limits },
    (given, ms) => {
      expect(answer).toBeNull();
      answer = given;
      keepMs = ms;
    },
  );
  reader.begin();
  for (const part of parts) if (!reader.feed(part)) keepMs = 0;
  if (isEnded) reader.end("reset");
  return { answer, keepMs };
}

const ok = "HTTP/1.1 200 OK\r\n";
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;

const streams: Readonly<Record<string, string>> = {
  "no body": "HTTP/1.1 204 No Content\r\n\r\n",
  "a length": `${ok}Content-Length: 5\r\n\r\nhello`,
  "a length, and more": `${ok}Content-Length: 5\r\n\r\nhello, world`,
  "less than its length": `${ok}Content-Length: 50\r\n\r\nhello`,
  "no length": `${ok}\r\nhello`,
  chunks: `${chunked}5\r\nhello\r\n1;a=b\r\n,\r\n00006\r\n world\r\n0\r\n\r\n`,
  "chunks with trailers": `${chunked}A\r\n0123456789\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n`,
  "chunks, and more": `${chunked}1\r\nx\r\n0\r\n\r\nHTTP/1.1 500 Forged\r\n\r\n`,
  "chunks cut off": `${chunked}5\r\nhel`,
  "interim answers": `HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`,
  "a head cut off": `${ok}X-Slow: xxx`,
  "no HTTP": "SSH-2.0-OpenSSH_9.2\r\n",
  "two lengths": `${ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`,
  "a length and chunks": `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "a name that ends with a space": `${ok}Content-Length : 5\r\n\r\nhello`,
  "a status of two digits": "HTTP/1.1 20 OK\r\n\r\n",
  nothing: "",
};

describe("an answer", () => {
  it.each(Object.entries(streams))("reads the same however it is cut: %s", (_, text) => {
    const bytes = Buffer.from(text, "latin1");
    const whole = read([bytes], true);
    const random = seededRandom(7);
    for (let round = 0; round < 50; round += 1) {
      const parts: Buffer[] = [];
      for (let at = 0; at < bytes.length;) {
        const end = at + (round === 0 ? 1 : random.integer(1, 9));
        parts.push(bytes.subarray(at, end));
        at = end;
      }
      const cut = read(parts, true);
      expect(cut.answer).toEqual(whole.answer);
      // Bytes behind an answer that come later are found later; they never make a connection better.
      expect(cut.keepMs).toBe(whole.keepMs);
    }
  });

  // What comes behind an answer is told as an error by Node, now before and now after the answer itself.
  const alone = Object.entries(streams).filter(([name]) => !name.endsWith("and more"));
  it.each(alone)("is what Node's own client reads: %s", async (_, text) => {
    await using server = await rawReceiver({ onRequest: (socket) => socket.end(text, "latin1") });
    const { answer } = read([Buffer.from(text, "latin1")], true);
    const shown =
      answer?.kind === "answered" ? `${answer.status} ${Buffer.from(answer.body).toString("latin1")}` : "failed";
    expect(shown).toBe(await asNodeReads(server.origin));
  });

  it("is kept up to its limit, and read up to another", () => {
    const long = Buffer.from(`${ok}Content-Length: 350\r\n\r\n${"x".repeat(350)}`);
    expect(read([long], false)).toMatchObject({ keepMs: Infinity, answer: { body: { length: 300 } } });
    const tooLong = Buffer.from(`${ok}Content-Length: 401\r\n\r\n${"x".repeat(401)}`);
    expect(read([tooLong.subarray(0, -1)], false).answer).toBeNull();
    const endless = Buffer.from(`${ok}\r\n${"x".repeat(401)}`);
    expect(read([endless], false)).toMatchObject({ keepMs: 0, answer: { status: 200, body: { length: 300 } } });
    // Chunks of one byte, whose frames are most of it.
    const framed = Buffer.from(`${chunked}${"1;extension=x\r\ny\r\n".repeat(30)}`);
    expect(read([framed], false)).toMatchObject({ keepMs: 0, answer: { status: 200, body: { length: 30 } } });
  });

  it.each([
    ["one part", 1_000],
    ["many parts", 7],
  ])("may have a head up to its limit, in %s", (_, size) => {
    const headOf = (length: number): readonly Buffer[] => {
      const bytes = Buffer.from(`${ok}X: `.padEnd(length, "x") + "\r\n\r\n");
      return Array.from({ length: Math.ceil(bytes.length / size) }, (_none, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      );
    };
    expect(read(headOf(400), true).answer).toMatchObject({ kind: "answered", status: 200 });
    expect(read(headOf(401), true).answer).toEqual({ kind: "failed", category: "answer_head_too_large" });
  });

  it.each([
    ["no size", "\r\nx"],
    ["a size that is no number", "5x\r\nhello\r\n0\r\n\r\n"],
    ["a space after its size", "1 \r\nx\r\n0\r\n\r\n"],
    ["a negative size", "-1\r\nx\r\n0\r\n\r\n"],
    ["a size beyond exact numbers", `${"f".repeat(13)}\r\nx`],
    ["a line feed alone after its size", "1\nx\r\n0\r\n\r\n"],
    ["a line feed alone in its extension", "1;\nx\r\n0\r\n\r\n"],
    ["a carriage return alone after its size", "1\rx\r\n0\r\n\r\n"],
    ["more than its size", "1\r\nxx\r\n0\r\n\r\n"],
    ["a line feed alone after its bytes", "1\r\nx\n0\r\n\r\n"],
    ["a carriage return alone after its bytes", "1\r\nx\r0\r\n\r\n"],
    ["a line feed alone at the end", "0\r\n\n"],
  ])("ends at a chunk with %s, and so does its connection", (_, body) => {
    expect(read([Buffer.from(chunked + body)], false)).toMatchObject({ keepMs: 0, answer: { status: 200 } });
  });
});

/** Status and body, as far as it came; `failed` when no status did. */
function asNodeReads(origin: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = request(origin, { method: "POST", agent: false }, (response) => {
      let body = "";
      response.setEncoding("latin1");
      response.on("data", (data: string) => (body += data));
      response.on("error", () => undefined);
      response.on("close", () => resolve(`${response.statusCode ?? 0} ${body}`));
    });
    asked.on("error", () => resolve("failed"));
    asked.end();
  });
}
