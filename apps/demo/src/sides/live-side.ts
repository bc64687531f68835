import type { DurableFolder } from "../durable/durable-folder.ts";
import { LiveClient } from "../receivers/live-client.ts";
import type { Connect } from "../receivers/live-client.ts";
import { Receiver } from "../receivers/receiver.ts";
import { sseAt } from "../receivers/sse-client.ts";
import { websocketAt } from "../receivers/websocket-client.ts";
import type { CheckedTransport } from "./checked-transport.ts";

/** A live client of a gateway, as the check sees it: its connection is cut, then stalled, then cut again. */
export class LiveSide implements CheckedTransport {
  readonly receiver: Receiver;
  readonly isOrdered = true;
  readonly outages: CheckedTransport["outages"];
  /** For whoever wants to take it away at other times. */
  readonly client: LiveClient;

  private constructor(receiver: Receiver, client: LiveClient) {
    const cut = { what: "cut", begin: () => client.drop(), end: () => client.resume() };
    const stalled = { what: "stalled", begin: () => client.stall(), end: () => client.unstall() };
    this.receiver = receiver;
    this.client = client;
    this.outages = [cut, stalled, cut];
  }

  /** A WebSocket client and an SSE client of one URL; resolves when both are connected. */
  static async openBoth(
    url: string,
    after: { readonly epoch: string; readonly offset: number },
    { token, folder }: { readonly token: string | null; readonly folder: DurableFolder | null },
  ): Promise<readonly [websocket: LiveSide, sse: LiveSide]> {
    const open = async (name: string, connect: Connect): Promise<LiveSide> => {
      const receiver = new Receiver(name, after, folder?.book(name));
      const client = new LiveClient(connect, receiver);
      await client.resume();
      return new LiveSide(receiver, client);
    };
    return Promise.all([open("WebSocket", websocketAt(url, token)), open("SSE", sseAt(url, token))]);
  }

  close(): void {
    this.client.drop();
  }
}
