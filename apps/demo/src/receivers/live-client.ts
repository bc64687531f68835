import type { Receiver } from "./receiver.ts";

/** One connection of a live client; tells of every frame, and once of its end. */
export interface LiveConnection {
  /** Stops reading without closing. */
  stall(): void;
  unstall(): void;
  /** Ends without a goodbye. */
  cut(): void;
}

/** Told by a connection. */
export interface LiveListener {
  frame(text: string): void;
  ended(): void;
}

export type Connect = (after: string, listener: LiveListener) => LiveConnection;

/** A client that begins where its receiver is and connects again after the last id it saw; the connection may be cut or stalled at any time. */
export class LiveClient {
  readonly #connect: Connect;
  readonly receiver: Receiver;
  #connection: LiveConnection | null = null;
  #lastId: string;
  #isWanted = true;
  #isStalled = false;
  #clientId: string | null = null;
  #onConnected: (() => void) | null = null;

  constructor(connect: Connect, receiver: Receiver) {
    this.#connect = connect;
    this.receiver = receiver;
    this.#lastId = receiver.position;
  }

  get state(): "live" | "cut" | "stalled" | "reconnecting" {
    if (!this.#isWanted) return "cut";
    if (this.#isStalled) return "stalled";
    return this.#clientId === null ? "reconnecting" : "live";
  }

  /** How the gateway calls it; null while it is not connected. */
  get clientId(): string | null {
    return this.#clientId;
  }

  /** Resolves with the gateway's first frame; later connections are made by themselves. */
  async resume(): Promise<void> {
    if (this.#isWanted && this.#connection !== null) return;
    this.#isWanted = true;
    await new Promise<void>((resolve) => {
      this.#onConnected = resolve;
      this.#open();
    });
  }

  drop(): void {
    this.#isWanted = false;
    this.#connection?.cut();
    this.#lost();
  }

  stall(): void {
    this.#isStalled = true;
    this.#connection?.stall();
  }

  unstall(): void {
    this.#isStalled = false;
    this.#connection?.unstall();
  }

  #lost(): void {
    this.#connection = null;
    this.#clientId = null;
    this.#isStalled = false;
  }

  #open(): void {
    let connection: LiveConnection | null = null;
    const isCurrent = (): boolean => this.#connection === connection;
    connection = this.#connect(this.#lastId, {
      frame: (text) => void (isCurrent() && this.#take(JSON.parse(text) as Frame)),
      ended: () => {
        if (!isCurrent() || !this.#isWanted) return;
        this.#lost();
        setTimeout(() => this.#isWanted && this.#connection === null && this.#open(), 100);
      },
    });
    this.#connection = connection;
  }

  #take(frame: Frame): void {
    if (frame.type === "client.connected") {
      // Every connection begins with this frame, and it has this member.
      this.#clientId = (frame.data as { readonly clientId: string }).clientId;
      this.#onConnected?.();
    } else if (frame.type === "client.gap") {
      this.#lastId = frame.data.through;
      this.receiver.takeGap(frame.data.through);
    } else if ("id" in frame) {
      this.#lastId = frame.id;
      this.receiver.take(frame);
    }
  }
}

type Frame =
  | { readonly type: "client.connected"; readonly data: object }
  | { readonly type: "client.gap"; readonly data: { readonly through: string } }
  | {
      readonly type: string;
      readonly id: string;
      readonly timestamp: string;
      readonly data: { readonly position: string; readonly through: string };
    };
