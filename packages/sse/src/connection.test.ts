import { Admission, Seat } from "@starcast/core/gateway";
import { describe, expect, it } from "vitest";
import { Connection, type ConnectionHost } from "./connection.ts";
import type { Sink, SinkOwner } from "./sink.ts";

/** A way out whose bytes leave as the test says: no kernel of the test's machine lets a piece leave in parts. */
class TrickleSink implements Sink {
  readonly isChunked = false;
  owner: SinkOwner | null = null;
  unsentBytes = 0;
  isDestroyed = false;
  write(bytes: Uint8Array): boolean {
    this.unsentBytes += bytes.length;
    return false;
  }
  end(): void {}
  destroy(): void {
    this.isDestroyed = true;
  }
}

function opened() {
  let now = 1_000_000;
  const closed: string[] = [];
  const host: ConnectionHost = {
    clock: { now: () => now },
    since: now,
    heartbeatMs: 15_000,
    stallMs: 30_000,
    tokenGraceMs: 0,
    state: undefined,
    timestamp: () => "",
    drawRetryMs: () => 1,
    onOpened: () => undefined,
    onGapped: () => undefined,
    onStalled: () => undefined,
    onClosed: (_, reason) => closed.push(reason),
  };
  const seat = new Seat(new Admission(), null);
  const format = { payload: "envelope", isNamed: true } as const;
  const spec = { clientId: "c", seat, format, isStartCertain: true, retryMs: 1, endsAt: Infinity, expiresAt: Infinity };
  const connection = new Connection(host, spec);
  const sink = new TrickleSink();
  connection.start(sink);
  const position = { epoch: "e", offset: 0 };
  const line = { ready: () => undefined, acknowledge: () => undefined, rewind: () => undefined, lease: null };
  connection.open({ ...line, position, start: { position, isResumed: false } });
  const passes = (ms: number): void => {
    now += ms;
    if (connection.dueAt <= now) connection.beat(now);
  };
  return { sink, closed, passes };
}

describe("a client that does not take all that was written", () => {
  it("stays as long as bytes leave, however slowly", () => {
    const { sink, closed, passes } = opened();
    for (let look = 0; look < 100; look += 1) {
      sink.unsentBytes -= 1;
      for (let second = 0; second < 20; second += 1) passes(1_000);
    }
    expect([sink.isDestroyed, closed]).toEqual([false, []]);
  });

  it("is closed when none has left for so long", () => {
    const { sink, closed, passes } = opened();
    for (let second = 0; second < 29; second += 1) passes(1_000);
    expect(closed).toEqual([]);
    passes(1_000);
    expect([sink.isDestroyed, closed]).toEqual([true, ["too_slow"]]);
  });
});
