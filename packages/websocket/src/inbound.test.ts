import { seededRandom } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { clientFrame } from "../test/raw-upgrade.ts";
import { Inbound, isOnePong, type InboundOwner } from "./inbound.ts";
import type { InboundLimits } from "./options.ts";

const limits: InboundLimits = { maxMessageBytes: 100, maxFragments: 4, maxChunks: 16, maxMessagesPerSecond: 10 };

class Heard implements InboundOwner {
  readonly said: string[] = [];
  onText(text: string): void {
    this.said.push(`text ${text}`);
  }
  onPing(payload: Uint8Array): void {
    this.said.push(`ping ${Buffer.from(payload).toString()}`);
  }
  onPong(): void {
    this.said.push("pong");
  }
  onCloseFrame(code: number): void {
    this.said.push(`close ${code}`);
  }
  onViolation(reason: string): void {
    this.said.push(`violation ${reason}`);
  }
}

function frame(opcode: number, text: string, isFinal = true): Uint8Array {
  return clientFrame(opcode, Buffer.from(text), { isFinal });
}

function listening(now = { ms: 0 }, some: Partial<InboundLimits> = {}): { heard: Heard; inbound: Inbound } {
  const heard = new Heard();
  return {
    heard,
    inbound: new Inbound(
      heard,
      { pause: () => undefined, resume: () => undefined },
      { options: { inbound: { ...limits, ...some } }, clock: { now: () => now.ms } },
      false,
    ),
  };
}

/** Streams tell errors in the next tick. */
function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

describe("what comes in", () => {
  it("is heard whole, however it was cut", () => {
    const bytes = Buffer.concat([
      frame(1, "héllo"),
      frame(9, "p"),
      frame(1, "a", false),
      frame(10, ""),
      frame(0, "b"),
      frame(8, ""),
    ]);
    const random = seededRandom(7);
    for (let round = 0; round < 200; round += 1) {
      const { heard, inbound } = listening();
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + Math.floor(random.next() * 8);
        inbound.push(Buffer.from(bytes.subarray(at, end)));
        at = end;
      }
      expect(heard.said).toEqual(["text héllo", "ping p", "pong", "text ab", "close 1005"]);
    }
  });

  it("is nothing any more behind a close or a violation", () => {
    const { heard, inbound } = listening();
    inbound.push(Buffer.concat([frame(2, "x"), frame(1, "late")]));
    inbound.push(frame(1, "later"));
    expect(heard.said).toEqual(["violation binary_refused"]);
  });

  it("may be so many in a second, then more as time passes", () => {
    const now = { ms: 0 };
    const { heard, inbound } = listening(now);
    for (let n = 0; n < 10; n += 1) inbound.push(frame(9, ""));
    now.ms = 500;
    for (let n = 0; n < 5; n += 1) inbound.push(frame(1, "x"));
    expect(heard.said).toHaveLength(15);
    inbound.push(frame(1, "x"));
    expect(heard.said.at(-1)).toBe("violation too_many_messages");
  });

  it("may not be one frame in endless pieces", async () => {
    const { heard, inbound } = listening();
    const bytes = frame(1, "x".repeat(50));
    for (let at = 0; at < bytes.length; at += 1) inbound.push(Buffer.from(bytes.subarray(at, at + 1)));
    await settled();
    expect(heard.said).toEqual(["violation too_many_messages"]);
  });

  it.each([
    ["a message too long", [frame(1, "x".repeat(101))], "too_large"],
    ["fragments too long together", [frame(1, "x".repeat(60), false), frame(0, "x".repeat(60))], "too_large"],
    [
      "too many fragments",
      ["a", "b", "c", "d", "e"].map((text, index) => frame(index === 0 ? 1 : 0, text, false)),
      "too_many_messages",
    ],
    ["a frame without mask", [Buffer.from([0x81, 1, 0x61])], "protocol_error"],
  ])("may not be %s", async (_what, frames, reason) => {
    const { heard, inbound } = listening();
    for (const each of frames) inbound.push(each);
    await settled();
    expect(heard.said).toEqual([`violation ${reason}`]);
  });

  it("never throws at junk", async () => {
    const random = seededRandom(11);
    for (let round = 0; round < 500; round += 1) {
      const { heard, inbound } = listening();
      for (let chunk = 0; chunk < 5; chunk += 1) {
        inbound.push(
          Buffer.from(
            Array.from({ length: 1 + Math.floor(random.next() * 40) }, () => Math.floor(random.next() * 256)),
          ),
        );
      }
      await settled();
      expect(heard.said.filter((said) => said.startsWith("violation")).length).toBeLessThanOrEqual(1);
    }
  });
});

describe("one pong", () => {
  it("is told from anything else at a glance", () => {
    expect(isOnePong(frame(10, ""))).toBe(true);
    expect(isOnePong(frame(10, "x".repeat(125)))).toBe(true);
    expect(isOnePong(Buffer.concat([frame(10, ""), frame(10, "")]))).toBe(false);
    expect(isOnePong(frame(9, ""))).toBe(false);
    expect(isOnePong(Buffer.from([0x8a, 0]))).toBe(false);
    expect(isOnePong(frame(10, "abc").subarray(0, 5))).toBe(false);
    expect(isOnePong(Buffer.from([0x8a, 0xfe, ...Array.from({ length: 130 }, () => 0)]))).toBe(false);
    expect(isOnePong(new Uint8Array(0))).toBe(false);
  });
});
