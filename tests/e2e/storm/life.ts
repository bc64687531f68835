import { get, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { parsePosition, type Position } from "@starcast/core";
import type { SeededRandom } from "@starcast/testing";
import { HistoryJudge } from "./history-judge.ts";

export interface GapSeen {
  readonly after: number;
  readonly through: number;
}

/**
 * One client over all its connections: it only knows the wire, and resumes from the last place it was told. One that is
 * cut off by the other side comes back by itself.
 */
export class Life {
  readonly transport: "websocket" | "sse";
  readonly gaps: GapSeen[] = [];
  reconnects = 0;
  /** The longest that an event took which was published (`data.at`) while it was connected, in milliseconds. */
  longestWayMs = 0;
  /** The longest it was without a connection that told it where it is, in milliseconds. */
  longestAbsenceMs = 0;
  #absentSince: number | null = null;
  #judge: HistoryJudge | null = null;
  #connectedAt = Infinity;
  readonly #url: string;
  readonly #random: SeededRandom;
  #place: Position | null;
  #cut: (isReset: boolean) => void = () => undefined;
  #reading: (isReading: boolean) => void = () => undefined;
  #isAway = false;
  #waiters: (() => void)[] = [];

  /** Begins after `place`; null at the head. */
  constructor(url: string, transport: "websocket" | "sse", random: SeededRandom, place: Position | null = null) {
    this.#place = place;
    this.#url = url;
    this.transport = transport;
    this.#random = random;
    this.#connect();
  }

  /** Who has not been told where it is has no history. */
  get judge(): HistoryJudge {
    return (this.#judge ??= new HistoryJudge(this.#place?.offset ?? 0));
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
    // Some end their connection as a crashed machine's kernel does: with a reset, wherever it is.
    this.#cut(this.#random.next() < 0.3);
    if (this.#random.next() < 0.3) this.#isAway = true;
    else this.#connect();
  }

  #connect(): void {
    this.#isAway = false;
    this.reconnects += 1;
    const after = this.#place === null ? "" : `?after=${this.#place.epoch}-${this.#place.offset}`;
    let isCut = false;
    let timer: NodeJS.Timeout | undefined;
    const open = this.transport === "websocket" ? openWebSocket : openStream;
    const { end, setReading } = open(this.#url + after, {
      take: (text, lastEventId) => {
        if (isCut) return;
        const frame = JSON.parse(text) as Frame;
        // What an `EventSource` would come back with.
        this.#take(frame.id === undefined || lastEventId === undefined ? frame : { ...frame, id: lastEventId });
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
    this.#cut = (isReset) => {
      isCut = true;
      clearTimeout(timer);
      end(isReset);
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
    this.#cut(false);
  }

  #take({ id, type, data }: Frame): void {
    if (type === "client.connected") {
      if (this.#absentSince !== null)
        this.longestAbsenceMs = Math.max(this.longestAbsenceMs, performance.now() - this.#absentSince);
      this.#absentSince = null;
      this.#connectedAt = Date.now();
      this.#place ??= parsePosition(data.position ?? "");
      this.#judge ??= new HistoryJudge(this.#place?.offset ?? 0);
    } else if (type === "client.gap") {
      const gap = {
        after: parsePosition(data.after ?? "")?.offset ?? -1,
        through: parsePosition(data.through ?? "")?.offset ?? -1,
      };
      this.gaps.push(gap);
      this.judge.takeGap(gap.after, gap.through);
      this.#place = parsePosition(data.through ?? "");
    } else if (id !== undefined) {
      if (data.at !== undefined && data.at > this.#connectedAt)
        this.longestWayMs = Math.max(this.longestWayMs, Date.now() - data.at);
      const { judge } = this;
      this.#place = parsePosition(id);
      judge.takeEvent(this.#place?.offset ?? -1);
    }
    this.#waiters.splice(0).forEach((look) => look());
  }

  #until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => void (isTrue() ? resolve() : this.#waiters.push(look));
      look();
    });
  }
}

/** Every offset after the start once, in order, or named by a gap that begins right after the last one: "whole". */
export function judge(life: Life): string {
  return life.judge.verdict;
}

interface Frame {
  readonly id?: string;
  readonly type: string;
  readonly data: {
    readonly position?: string;
    readonly after?: string | null;
    readonly through?: string;
    readonly at?: number;
  };
}

interface Ear {
  readonly take: (frame: string, lastEventId?: string) => void;
  readonly onGone: () => void;
}

/** A connection that can be ended, and paused. */
interface Mouth {
  readonly end: (isReset: boolean) => void;
  readonly setReading: (isReading: boolean) => void;
}

function openWebSocket(url: string, { take, onGone }: Ear): Mouth {
  const socket = new WebSocket(url.replace("http", "ws"));
  let raw: Socket | undefined;
  socket.on("upgrade", (answer) => (raw = answer.socket));
  socket.on("message", (frame: Buffer) => take(frame.toString()));
  // A connection that is cut while it opens ends with an error, as it should.
  socket.on("error", () => undefined);
  socket.on("close", onGone);
  return {
    end: (isReset) => void (isReset && raw !== undefined ? raw.resetAndDestroy() : socket.terminate()),
    setReading: (isReading) => (isReading ? socket.resume() : socket.pause()),
  };
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
        if (data !== undefined) take(data, /^id: (.*)$/m.exec(block)?.[1]);
      }
    });
    response.on("error", () => undefined);
  });
  request.on("error", () => undefined);
  request.on("close", onGone);
  return {
    end: (isReset) => void (isReset && answer !== undefined ? answer.socket.resetAndDestroy() : request.destroy()),
    setReading: (isReading) => void (isReading ? answer?.resume() : answer?.pause()),
  };
}
