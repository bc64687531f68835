import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { freePort } from "../../../tests/free-port.ts";
import { NatsServer } from "../../../tests/nats-server.ts";

/** Three nats-servers that are one cluster, on free ports of loopback. */
export class NatsCluster {
  readonly servers: readonly NatsServer[];

  private constructor(servers: readonly NatsServer[]) {
    this.servers = servers;
  }

  /** Resolves when JetStream can be asked for streams: its servers have a leader. */
  static async start(program: string): Promise<NatsCluster> {
    const routes = await Promise.all([freePort(), freePort(), freePort()]);
    const servers = await Promise.all(
      routes.map((port, index) =>
        NatsServer.start(program, {
          flags: [
            ...["--server_name", nameOf(index), "--cluster_name", "starcast"],
            ...["--cluster", `nats://127.0.0.1:${port}`],
            ...["--routes", routes.map((each) => `nats://127.0.0.1:${each}`).join(",")],
          ],
        }),
      ),
    );
    const cluster = new NatsCluster(servers);
    await cluster.#until(async (manager) => (await manager.getAccountInfo()).streams >= 0);
    return cluster;
  }

  get urls(): readonly string[] {
    return this.servers.map(({ url }) => url);
  }

  /** The server that leads this stream. */
  async leaderOf(stream: string): Promise<NatsServer> {
    let leader: NatsServer | undefined;
    await this.#until(async (manager) => {
      const { cluster } = await manager.streams.info(stream);
      leader = this.servers.find((_, index) => nameOf(index) === cluster?.leader);
      return leader !== undefined;
    });
    if (leader === undefined) throw new Error(`Expected a leader of ${stream}`);
    return leader;
  }

  /** Resolves when every copy of the stream is where its leader is. */
  isWhole(stream: string): Promise<void> {
    return this.#until(async (manager) => {
      const { cluster } = await manager.streams.info(stream);
      const copies = cluster?.replicas ?? [];
      return cluster?.leader !== undefined && copies.length === 2 && copies.every(({ current }) => current);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
  }

  async #until(holds: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<boolean>): Promise<void> {
    const connection = await connect({ servers: [...this.urls] });
    const manager = await jetstreamManager(connection, { checkAPI: false });
    // Asking is the only way to learn it, and there may be nobody to answer.
    while (!(await holds(manager).catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 50));
    await connection.close();
  }
}

function nameOf(index: number): string {
  return `nats-${index + 1}`;
}
