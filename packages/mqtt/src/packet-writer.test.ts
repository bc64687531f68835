import { parser, type IPublishPacket, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { packetBytesAtMost, type Message } from "./message.ts";
import { PacketWriter, type PublishMarks } from "./packet-writer.ts";

const least: Message = { topic: "a/b", payload: "{}", qos: 0, retain: false };

function arrange(protocolVersion: 5 | 4) {
  const pieces: Buffer[] = [];
  const writer = new PacketWriter(protocolVersion, (bytes) => void pieces.push(bytes));
  const read = (): readonly Packet[] => {
    const packets: Packet[] = [];
    const reader = parser({ protocolVersion } as Parameters<typeof parser>[0]);
    reader.on("packet", (packet: Packet) => void packets.push(packet));
    reader.on("error", (error: Error) => {
      throw error;
    });
    reader.parse(Buffer.concat(pieces));
    return packets;
  };
  return { writer, pieces, read };
}

function publish(version: 5 | 4, message: Partial<Message>, marks: Partial<PublishMarks> = {}) {
  const { writer, read } = arrange(version);
  writer.publish({ ...least, ...message }, { id: null, alias: null, ...marks });
  writer.flush();
  const [packet, ...more] = read();
  expect(more).toEqual([]);
  return packet as IPublishPacket;
}

describe.each([5, 4] as const)("a publication in MQTT %i", (version) => {
  it.each<[string, Partial<Message>, Partial<PublishMarks>]>([
    ["QoS 0", {}, {}],
    ["QoS 1", { qos: 1 }, { id: 1 }],
    ["QoS 2, retained", { qos: 2, retain: true }, { id: 65_535 }],
    ["no payload", { payload: "", retain: true }, {}],
    ["characters of two, three and four bytes", { topic: "ä/€", payload: '"ß€😀"' }, {}],
    ["127 bytes in all", { payload: "x".repeat(127 - 6) }, {}],
    ["128 bytes in all", { payload: "x".repeat(128 - 5) }, {}],
    ["more than a piece of memory", { payload: "é".repeat(100_000) }, {}],
    ["a length of four bytes", { payload: "x".repeat(2_097_152) }, {}],
  ])("is read as it was meant: %s", (_what, message, marks) => {
    const { topic, payload, qos, retain, dup, messageId } = publish(version, message, marks);
    const read = { topic, payload: payload.toString(), qos, retain, dup, messageId };
    expect(read).toEqual({ ...least, ...message, dup: false, messageId: marks.id ?? undefined });
  });

  it("is no larger than the bound says", () => {
    const { writer, pieces } = arrange(version);
    const message: Message = { ...least, qos: 1, properties: { contentType: "a/b", userProperties: { c: "d" } } };
    writer.publish(message, { id: 7, alias: { number: 1, isNew: true } });
    writer.flush();
    expect(Buffer.concat(pieces).length).toBeLessThanOrEqual(packetBytesAtMost(message));
  });
});

describe("what MQTT 5 says beside a payload", () => {
  const properties = {
    messageExpiryInterval: 4_294_967_295,
    contentType: "text/plain; ä",
    userProperties: { traceparent: "00-1", ü: "x".repeat(300) },
  };

  it("is read as it was meant", () => {
    expect(publish(5, { properties }).properties).toEqual(properties);
  });

  it("is not said in MQTT 3.1.1", () => {
    expect(publish(4, { properties })).toMatchObject({ topic: "a/b", payload: Buffer.from("{}") });
  });

  it.each([
    [{ number: 1_000, isNew: true }, "a/b"],
    [{ number: 1_000, isNew: false }, ""],
  ])("may be a number for the topic: %j", (alias, topic) => {
    expect(publish(5, { properties }, { alias })).toMatchObject({
      topic,
      payload: Buffer.from("{}"),
      properties: { ...properties, topicAlias: 1_000 },
    });
  });
});

describe("packets of one turn", () => {
  it("are one write, and stay what they are when the next ones are made", () => {
    const { writer, pieces, read } = arrange(5);
    const numbers = Array.from({ length: 100 }, (_, n) => n + 1);
    for (const id of numbers) writer.publish({ ...least, qos: 2, payload: `"${id}"` }, { id, alias: null });
    writer.release(7);
    expect(pieces).toHaveLength(0);
    writer.flush();
    expect(pieces).toHaveLength(1);
    for (const id of numbers) writer.publish({ ...least, qos: 2, payload: `"${id}"` }, { id, alias: null });
    writer.flush();
    writer.flush();
    expect(pieces).toHaveLength(2);
    const told = read().map((packet) =>
      packet.cmd === "publish" ? String(packet.payload) : [packet.cmd, packet.messageId],
    );
    const publications = numbers.map((id) => `"${id}"`);
    expect(told).toEqual([...publications, ["pubrel", 7], ...publications]);
  });

  it("leave early when there are more than fit into a piece of memory", () => {
    const { writer, pieces, read } = arrange(5);
    for (let n = 0; n < 100; n += 1)
      writer.publish({ ...least, payload: "x".repeat(1_000 + n) }, { id: null, alias: null });
    expect(pieces).toHaveLength(1);
    writer.flush();
    expect(read().map((packet) => (packet as IPublishPacket).payload.length)).toEqual(
      Array.from({ length: 100 }, (_, n) => 1_000 + n),
    );
  });
});
