import { headers, type NatsConnection } from "@nats-io/transport-node";
import { describe, expect, it } from "vitest";
import { PublicationWriter, type Publication } from "./publication-writer.ts";

const publication = (payload: string, isWithHeaders = false): Publication => ({
  subject: "events",
  reply: `_INBOX.${payload.length}`,
  payload,
  payloadBytes: Buffer.byteLength(payload),
  headers: isWithHeaders ? headers() : undefined,
});

/** What a client was asked to do, one line each. */
function clientThat(offersMore: boolean): { readonly asked: readonly string[]; readonly connection: NatsConnection } {
  const asked: string[] = [];
  const client = {
    publish: (subject: string, payload: string) => void asked.push(`publish ${subject} ${payload}`),
    protocol: offersMore ? { sendCommand: (bytes: Uint8Array) => void asked.push(Buffer.from(bytes).toString()) } : {},
  };
  return { asked, connection: client as unknown as NatsConnection };
}

describe("publications of one turn", () => {
  it("are one command, with lengths in bytes", () => {
    const { asked, connection } = clientThat(true);
    const writer = new PublicationWriter(connection);
    writer.add(publication("abc"));
    writer.add(publication("é😀"));
    writer.flush();
    writer.flush();
    expect(asked).toEqual(["PUB events _INBOX.3 3\r\nabc\r\nPUB events _INBOX.3 6\r\né😀\r\n"]);
  });

  it("keep their order around one with headers, which goes by itself", () => {
    const { asked, connection } = clientThat(true);
    const writer = new PublicationWriter(connection);
    for (const each of [publication("a"), publication("bb", true), publication("ccc")]) writer.add(each);
    writer.flush();
    expect(asked).toEqual(["PUB events _INBOX.1 1\r\na\r\n", "publish events bb", "PUB events _INBOX.3 3\r\nccc\r\n"]);
  });

  it("go one by one through a client that offers nothing better", () => {
    const { asked, connection } = clientThat(false);
    const writer = new PublicationWriter(connection);
    writer.add(publication("a"));
    writer.add(publication("b"));
    writer.flush();
    expect(asked).toEqual(["publish events a", "publish events b"]);
  });
});
