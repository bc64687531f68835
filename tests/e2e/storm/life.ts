import { get, type IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { parsePosition, type Position } from "@starcast/core";
import type { SeededRandom } from "@starcast/testing";

export interface GapSeen {
  readonly after: number;
  readonly through: number;
}

/**
 * One client over all its connections: it only knows the wire, and resumes from the last place it was told. One that is
 * cut off by the other side comes back by itself.
 */
export class Life {
  readonly history: (number | GapSeen)[] = [];
  readonly gaps: GapSeen[] = [];
  reconnects = 0;
  /** The longest it was without a connection that told it where it is, in milliseconds. */
  longestAbsenceMs = 0;
  #absentSince: number | null = null;
  readonly #url: string;
  readonly #transport: "websocket" | "sse";
  readonly #random: SeededRandom;
  #place: Position | null;
  #cut: () => void = () => undefined;
  #reading: (isReading: boolean) => void = () => undefined;
  #isAway = false;
  #waiters: (() => void)[] = [];

  /** Begins after `place`; null at the head. */
  constructor(url: string, transport: "websocket" | "sse", random: SeededRandom, place: Position | null = null) {
    this.#place = place;
    this.#url = url;
    this.#transport = transport;
    this.#random = random;
    this.#connect();
  }

  connected(): Promise<void> {
    return this.#until(() => this.#place !== null);
  }

  reached(offset: number): Promise<void> {
    if (this.#isAway) this.#connect();
    return this.#until(() => this.#place !== null && this.#place.offset >= offset);
  }

  /** Loses its connection; comes back at once, or only when it is shaken again. */
  shake(): void {
    if (this.#isAway) return this.#connect();
    this.#cut();
    if (this.#random.next() < 0.3) this.#isAway = true;
    else this.#connect();
  }

  #connect(): void {
    this.#isAway = false;
    this.reconnects += 1;
    const after = this.#place === null ? "" : `?after=${this.#place.epoch}-${this.#place.offset}`;
    let isCut = false;
    let timer: NodeJS.Timeout | undefined;
    const open = this.#transport === "websocket" ? openWebSocket : openStream;
    const { end, setReading } = open(this.#url + after, {
      take: (frame) => {
        if (!isCut) this.#take(JSON.parse(frame) as Frame);
      },
      onGone: () => {
        if (isCut || timer !== undefined) return;
        this.#absentSince ??= performance.now();
        // As a client does: not at once, and not all at the same time.
        timer = setTimeout(
          () => {
            if (!isCut) this.#connect();
            isCut = true;
          },
          50 + this.#random.next() * 150,
        );
      },
    });
    this.#reading = setReading;
    this.#cut = () => {
      isCut = true;
      clearTimeout(timer);
      end();
    };
  }

  /** Leaves what comes in the kernel's buffers, and so does not hear that it is closed either. */
  stopReading(): void {
    this.#reading(false);
  }

  readOn(): void {
    this.#reading(true);
  }

  /** Ends it for good. */
  end(): void {
    this.#cut();
  }

  #take({ id, type, data }: Frame): void {
    if (type === "client.connected") {
      if (this.#absentSince !== null)
        this.longestAbsenceMs = Math.max(this.longestAbsenceMs, performance.now() - this.#absentSince);
      this.#absentSince = null;
      this.#place ??= parsePosition(data.position ?? "");
      this.#firstOffset ??= this.#place?.offset ?? 0;
    } else if (type === "client.gap") {
      const gap = {
        after: parsePosition(data.after ?? "")?.offset ?? -1,
        through: parsePosition(data.through ?? "")?.offset ?? -1,
      };
      this.gaps.push(gap);
      this.history.push(gap);
      this.#place = parsePosition(data.through ?? "");
    } else if (id !== undefined) {
      this.#place = parsePosition(id);
      this.history.push(this.#place?.offset ?? -1);
    }
    this.#waiters.splice(0).forEach((look) => look());
  }

  #firstOffset: number | null = null;

  get startedAt(): number {
    return this.#firstOffset ?? 0;
  }

  #until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => void (isTrue() ? resolve() : this.#waiters.push(look));
      look();
    });
  }
}

/** Every offset after the start once, in order, or named by a gap that begins right after the last one. */
export function judge(life: Life): string {
  let place = life.startedAt;
  for (const entry of life.history) {
    if (typeof entry === "number") {
      if (entry !== place + 1) return `after ${place} came ${entry}`;
      place = entry;
    } else {
      if (entry.after !== place || entry.through <= place)
        return `after ${place} came a gap after ${entry.after} through ${entry.through}`;
      place = entry.through;
    }
  }
  return "whole";
}

interface Frame {
  readonly id?: string;
  readonly type: string;
  readonly data: { readonly position?: string; readonly after?: string | null; readonly through?: string };
}

interface Ear {
  readonly take: (frame: string) => void;
  readonly onGone: () => void;
}

/** A connection that can be ended, and paused. */
interface Mouth {
  readonly end: () => void;
  readonly setReading: (isReading: boolean) => void;
}

function openWebSocket(url: string, { take, onGone }: Ear): Mouth {
  const socket = new WebSocket(url.replace("http", "ws"));
  socket.on("message", (frame: Buffer) => take(frame.toString()));
  // A connection that is cut while it opens ends with an error, as it should.
  socket.on("error", () => undefined);
  socket.on("close", onGone);
  return { end: () => socket.terminate(), setReading: (isReading) => (isReading ? socket.resume() : socket.pause()) };
}

function openStream(url: string, { take, onGone }: Ear): Mouth {
  let rest = "";
  let answer: IncomingMessage | undefined;
  const request = get(url, { agent: false }, (response) => {
    // A load balancer with nobody behind it, say.
    if (response.statusCode !== 200) return void request.destroy();
    answer = response;
    response.setEncoding("utf8").on("data", (text: string) => {
      const blocks = (rest + text).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) take(data);
      }
    });
    response.on("error", () => undefined);
  });
  request.on("error", () => undefined);
  request.on("close", onGone);
  return {
    end: () => request.destroy(),
    setReading: (isReading) => void (isReading ? answer?.resume() : answer?.pause()),
  };
}
