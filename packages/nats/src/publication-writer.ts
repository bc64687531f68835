import type { MsgHdrs, NatsConnection } from "@nats-io/transport-node";

/** One publication, as NATS needs to know it. */
export interface Publication {
  readonly subject: string;
  readonly reply: string;
  readonly payload: string;
  readonly payloadBytes: number;
  readonly headers: MsgHdrs | undefined;
}

/**
 * Writes many publications at once, in order. Hot path: the client makes three buffers of each publication and joins them
 * all again; made as one text, they cost a process that publishes a quarter less, and an eighth more leave in a second. What
 * it offers for that is not part of its documented face (its versions are held), so where it is missing, each is published
 * by itself.
 */
export class PublicationWriter {
  readonly #connection: NatsConnection;
  readonly #commands: Commands | null;
  #text = "";

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#commands = commandsOf(connection);
  }

  add({ subject, reply, payload, payloadBytes, headers }: Publication): void {
    if (headers === undefined && this.#commands !== null) {
      this.#text += `PUB ${subject} ${reply} ${payloadBytes}\r\n${payload}\r\n`;
      return;
    }
    this.flush();
    this.#connection.publish(subject, payload, headers === undefined ? { reply } : { reply, headers });
  }

  flush(): void {
    if (this.#text === "") return;
    this.#commands?.sendCommand(Buffer.from(this.#text));
    this.#text = "";
  }
}

interface Commands {
  sendCommand(bytes: Uint8Array): void;
}

function commandsOf(connection: NatsConnection): Commands | null {
  const { protocol } = connection as unknown as { readonly protocol?: Partial<Commands> };
  return typeof protocol?.sendCommand === "function" ? (protocol as Commands) : null;
}
