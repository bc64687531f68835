import { describe, expect, it } from "vitest";
import { FetchResponse } from "./fetch-response.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function openBody(): { sink: FetchResponse; reader: ReadableStreamDefaultReader<Uint8Array>; told: string[] } {
  const told: string[] = [];
  const sink = new FetchResponse();
  sink.owner = { onRoom: () => told.push("room"), onGone: () => told.push("gone") };
  return { sink, reader: sink.body.getReader(), told };
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await reader.read();
  return new TextDecoder().decode(value);
}

describe("the body of a Fetch response", () => {
  it("has room as long as its reader waits", async () => {
    const { sink, reader, told } = openBody();
    const first = read(reader);
    expect(sink.write(bytes("one"))).toBe(true);
    expect(await first).toBe("one");
    expect(told).toEqual([]);
  });

  it("is full when something waits for the reader, and tells of room once it was read", async () => {
    const { sink, reader, told } = openBody();
    expect(sink.write(bytes("one"))).toBe(false);
    expect(await read(reader)).toBe("one");
    expect(told).toEqual(["room"]);
    const next = read(reader);
    expect(sink.write(bytes("two"))).toBe(true);
    expect(await next).toBe("two");
  });

  it("gives its reader bytes of its own, which may be changed or transferred", async () => {
    const { sink, reader } = openBody();
    const shared = bytes("shared");
    sink.write(shared);
    const { value } = await reader.read();
    value?.fill(0);
    expect(shared).toEqual(bytes("shared"));
    expect(value?.buffer).not.toBe(shared.buffer);
  });

  it("is over when its reader cancels", async () => {
    const { sink, reader, told } = openBody();
    await reader.cancel();
    expect(told).toEqual(["gone"]);
    expect(sink.write(bytes("late"))).toBe(false);
  });

  it("ends after what was written, once", async () => {
    const { sink, reader, told } = openBody();
    sink.write(bytes("last"));
    sink.end();
    sink.end();
    expect(await read(reader)).toBe("last");
    expect(await reader.read()).toEqual({ done: true, value: undefined });
    expect(told).toEqual(["gone"]);
  });

  it("fails its reader when it is destroyed", async () => {
    const { sink, reader, told } = openBody();
    sink.write(bytes("unread"));
    sink.destroy();
    await expect(reader.read()).rejects.toMatchObject({ name: "AbortError" });
    expect(told).toEqual(["gone"]);
  });
});
