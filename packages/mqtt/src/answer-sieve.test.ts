import { generate, parser, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { AnswerSieve } from "./answer-sieve.ts";

function arrange() {
  const answers: unknown[] = [];
  const rest: Packet[] = [];
  const reader = parser({ protocolVersion: 5 } as Parameters<typeof parser>[0]);
  reader.on("packet", (packet: Packet) => void rest.push(packet));
  const sieve = new AnswerSieve({
    onAnswer: (kind, id, reasonCode) => void answers.push([kind, id, reasonCode]),
    onRest: (bytes) => void reader.parse(Buffer.from(bytes)),
  });
  return { answers, rest, sieve };
}

const bytesOf = (packet: Packet): Buffer => generate(packet, { protocolVersion: 5 });

function publication(bytes: number, messageId: number): Packet {
  // Its body is full of what looks like answers.
  const payload = Buffer.alloc(bytes, Buffer.of(0x40, 2, 0, 7));
  return { cmd: "publish", topic: "t", payload, qos: 1, dup: false, retain: false, messageId };
}

describe("what an MQTT broker sends", () => {
  const packets: readonly Buffer[] = [
    bytesOf({ cmd: "connack", reasonCode: 0, sessionPresent: false, properties: { receiveMaximum: 10 } }),
    Buffer.of(0x40, 2, 0, 1),
    Buffer.of(0x40, 3, 0x12, 0x34, 0x10),
    bytesOf(publication(300, 1)),
    Buffer.of(0x50, 4, 0xff, 0xff, 0x87, 0),
    bytesOf({ cmd: "pingresp" }),
    bytesOf({ cmd: "puback", messageId: 9, reasonCode: 0x97, properties: { reasonString: "x".repeat(40) } }),
    bytesOf({ cmd: "puback", messageId: 10, reasonCode: 0x97, properties: { reasonString: "x".repeat(400) } }),
    Buffer.of(0x70, 2, 0, 2),
    bytesOf(publication(20_000, 2)),
    Buffer.of(0x40, 2, 0, 3),
    bytesOf({ cmd: "suback", messageId: 4, granted: [1] }),
  ];
  const answers = [
    ["puback", 1, 0],
    ["puback", 0x1234, 0x10],
    ["pubrec", 0xffff, 0x87],
    ["puback", 9, 0x97],
    ["pubcomp", 2, 0],
    ["puback", 3, 0],
  ];
  const rest = ["connack", "publish", "pingresp", "puback", "publish", "suback"];

  it("is parted in answers and everything else, wherever it is cut", () => {
    const all = Buffer.concat(packets);
    // Each length once, and then lengths in turn that fall into step with nothing.
    for (const lengths of [...Array.from({ length: 40 }, (_, n) => [n + 1]), [3, 1, 7, 2], [1_000, 1], [all.length]]) {
      const site = arrange();
      for (let at = 0, turn = 0; at < all.length; turn += 1) {
        const length = lengths[turn % lengths.length] ?? 1;
        site.sieve.sift(all.subarray(at, at + length));
        at += length;
      }
      expect(site.answers).toEqual(answers);
      expect(site.rest.map(({ cmd }) => cmd)).toEqual(rest);
      expect(site.rest.flatMap((packet) => (packet.cmd === "publish" ? [packet.payload.length] : []))).toEqual([
        300, 20_000,
      ]);
    }
  });

  it.each([
    ["an answer with a flag", Buffer.of(0x41, 2, 0, 1)],
    ["an answer without an identifier", Buffer.of(0x40, 1, 0)],
    ["a length of five bytes", Buffer.of(0x40, 0x80, 0x80, 0x80, 0x80, 1, 0)],
  ])("is left alone where it is malformed: %s", (_what, bytes) => {
    const got: Uint8Array[] = [];
    const sieve = new AnswerSieve({
      onAnswer: () => expect.unreachable(),
      onRest: (rest) => void got.push(rest),
    });
    sieve.sift(bytes);
    expect(Buffer.concat(got)).toEqual(bytes);
  });
});
