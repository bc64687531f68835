import { LogEvent, cloudEvents, type Encoding } from "@starcast/core";
import { forEachSeed } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { clientBlock, comment, formatBlock, streamEncoding, type Payload, type ToldFrame } from "./event-stream.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function makeEvent(fields: Partial<{ epoch: string; type: string; json: string }> = {}): LogEvent {
  const { epoch = "k3f9x2a1", type = "model.added", json = '{"id":"m1"}' } = fields;
  return new LogEvent(epoch, 7, "2026-01-02T03:04:05.678Z", { type, subject: "acme/m1", json, sizeBytes: json.length });
}

function encode(payload: Payload, isNamed: boolean, event = makeEvent()): string {
  return text(event.bytes(streamEncoding({ payload, isNamed })));
}

const envelope =
  '{"id":"k3f9x2a1-7","type":"model.added","timestamp":"2026-01-02T03:04:05.678Z","subject":"acme/m1","data":{"id":"m1"}}';

describe("an event in the stream", () => {
  it("is a block with its type, its id and its envelope", () => {
    expect(encode("envelope", true)).toBe(`id: k3f9x2a1-7\nevent: model.added\ndata: ${envelope}\n\n`);
  });

  it("is a message without a name where names are off", () => {
    expect(encode("envelope", false)).toBe(`id: k3f9x2a1-7\ndata: ${envelope}\n\n`);
  });

  it("is its data only where that is asked for", () => {
    expect(encode("data", true)).toBe('id: k3f9x2a1-7\nevent: model.added\ndata: {"id":"m1"}\n\n');
    expect(encode("data", false)).toBe('id: k3f9x2a1-7\ndata: {"id":"m1"}\n\n');
  });

  it("is what another encoding makes of it", () => {
    const block = encode(cloudEvents({ source: "/catalog" }), true);
    const [id, event, data = ""] = block.split("\n");
    expect([id, event]).toEqual(["id: k3f9x2a1-7", "event: model.added"]);
    expect(JSON.parse(data.slice("data: ".length))).toMatchObject({
      specversion: "1.0",
      id: "k3f9x2a1-7",
      source: "/catalog",
    });
  });

  it("has the same encoding object for the same format, so that connections share its bytes", () => {
    const custom: Encoding = cloudEvents({ source: "/catalog" });
    for (const payload of ["envelope", "data", custom] as const) {
      for (const isNamed of [true, false]) {
        expect(streamEncoding({ payload, isNamed })).toBe(streamEncoding({ payload, isNamed }));
      }
      expect(streamEncoding({ payload, isNamed: true })).not.toBe(streamEncoding({ payload, isNamed: false }));
    }
  });

  it("keeps data of several lines in its block, whatever ends them", () => {
    const json = '{\r\n"a":1,\r"b":2,\n"c":3\n\n}';
    expect(encode("data", false, makeEvent({ json }))).toBe(
      'id: k3f9x2a1-7\ndata: {\ndata: "a":1,\ndata: "b":2,\ndata: "c":3\ndata: \ndata: }\n\n',
    );
  });

  it.each(["\r", "\n", "\r\n", "\0"])("is refused with %j in its type or id: nobody forges a frame", (character) => {
    const refused = expect.objectContaining({ code: "invalid_frame" });
    expect(() => encode("envelope", true, makeEvent({ type: `a.b${character}data: forged` }))).toThrow(refused);
    expect(() => encode("data", false, makeEvent({ epoch: `e${character}id: forged` }))).toThrow(refused);
    expect(() => formatBlock({ event: `x${character}`, data: "" })).toThrow(refused);
  });
});

describe("any block", () => {
  /** What the HTML standard's parser (9.2.6) makes of one block. */
  function parse(stream: string): { readonly event: string; readonly id: string; readonly data: string } {
    const fields = { event: "", id: "", data: "" };
    for (const line of stream.split(/\r\n|\r|\n/)) {
      const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (name === "data") fields.data += `${value}\n`;
      else if (name === "event" || name === "id") fields[name] = value;
    }
    return { ...fields, data: fields.data.slice(0, -1) };
  }

  it("comes out of the standard's parser as it went in, whatever is in its data", async () => {
    await forEachSeed(300, (random) => {
      const alphabet = [
        "\r",
        "\n",
        "\r\n",
        ":",
        " ",
        "data: x",
        "id: 7",
        "event: e",
        "\0",
        "é",
        "😀",
        "\u2028",
        "\ufeff",
        "{",
        "a",
      ];
      const data = Array.from(
        { length: random.integer(0, 30) },
        () => alphabet[random.integer(0, alphabet.length - 1)],
      ).join("");
      const block = formatBlock({ event: "a.b", id: "e-1", data });
      expect(parse(block)).toEqual({ event: "a.b", id: "e-1", data: data.replace(/\r\n|\r|\n/g, "\n") });
      // One block, no more: its only empty line is its end.
      expect(block.split(/\r\n|\r|\n/).indexOf("")).toBe(block.split(/\r\n|\r|\n/).length - 2);
    });
  });
});

describe("a frame of the gateway", () => {
  const frame: ToldFrame = {
    type: "client.heartbeat",
    timestamp: "2026-01-02T03:04:05.678Z",
    data: { position: "e-9" },
    id: "e-9",
  };

  it("is an event-shaped envelope with the position as its id", () => {
    expect(text(clientBlock(frame, { payload: "envelope", isNamed: true }))).toBe(
      'id: e-9\nevent: client.heartbeat\ndata: {"type":"client.heartbeat","timestamp":"2026-01-02T03:04:05.678Z","data":{"position":"e-9"}}\n\n',
    );
  });

  it("has no name where names are off, and no id where it moves nothing", () => {
    const block = text(clientBlock({ ...frame, id: undefined }, { payload: "envelope", isNamed: false }));
    expect(block).toMatch(/^data: \{"type":"client\.heartbeat".*\}\n\n$/);
  });

  it("keeps its name among unnamed data, which does not say what it is", () => {
    expect(text(clientBlock(frame, { payload: "data", isNamed: false }))).toBe(
      'id: e-9\nevent: client.heartbeat\ndata: {"position":"e-9"}\n\n',
    );
  });

  it("may tell how long to wait before coming back", () => {
    expect(text(clientBlock({ ...frame, retryMs: 1234 }, { payload: "data", isNamed: true }))).toMatch(
      /^retry: 1234\nid: e-9\n/,
    );
  });
});

it("a comment ends its line and its block, so that no parser waits for more", () => {
  expect(text(comment)).toBe(":\n\n");
});
