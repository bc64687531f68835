import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, expect, it } from "vitest";
import { parsePosition } from "@starcast/core";
import { JetStreamStore } from "@starcast/nats";
import { seededRandom } from "@starcast/testing";
import { freePort } from "../free-port.ts";
import { Mosquitto } from "../mosquitto.ts";
import { NatsServer } from "../nats-server.ts";
import { describeWith } from "../services.ts";
import { startNginx } from "./cluster/nginx.ts";
import { Life, judge } from "./storm/life.ts";

const clients = 300;
/** After so many acknowledged events the next thing happens. */
const perStep = 250;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

describeWith("nats-server", "three gateways behind a load balancer", (natsServer) => {
  describeWith("nginx", "through nginx", (nginx) => {
    describeWith("mosquitto", "with an MQTT broker", (mosquitto) => {
      it("lose nothing silently while nodes are killed and NATS is restarted and frozen", async () => {
        const seed = Number(process.env["SEED"] ?? 20_261_124);
        const random = seededRandom(seed);
        const { cluster, nats, url, webhooks, device } = await house(natsServer, nginx, mosquitto);
        const lives = Array.from(
          { length: clients },
          (_, index) => new Life(`${url}/events`, index % 2 === 0 ? "websocket" : "sse", random),
        );
        cleanUps.push(() => lives.forEach((life) => life.end()));
        await Promise.all(lives.map((life) => life.connected()));
        const shaking = setInterval(() => lives[Math.floor(random.next() * clients)]?.shake(), 10);
        cleanUps.push(() => clearInterval(shaking));

        for (const step of ["kill", "restart NATS", "kill", "freeze NATS", "kill", "kill"] as const) {
          await cluster.acknowledgedMore(perStep);
          if (step === "kill") await cluster.replace(Math.floor(random.next() * 3));
          else if (step === "restart NATS") {
            await nats.stop();
            await nats.start();
          } else {
            await nats.freeze();
            // Longer than a node needs to notice: nothing can be awaited of a server that stands still.
            await new Promise((resolve) => setTimeout(resolve, 2_000));
            nats.thaw();
          }
        }
        await cluster.acknowledgedMore(perStep);
        clearInterval(shaking);
        await cluster.quiet();

        const log = await readLog(nats.url);
        const newest = log.at(-1)?.offset ?? 0;
        await Promise.all(lives.map((life) => life.reached(newest)));
        for (const life of lives) expect(judge(life), `seed ${seed}`).toBe("whole");
        expect(lives.every(({ gaps }) => gaps.length === 0)).toBe(true);

        // Every acknowledged publication stands where its publisher was told, and nowhere else.
        const keys = new Map(log.map(({ id, key }) => [key, id]));
        expect(keys.size).toBe(log.length);
        for (const [key, id] of cluster.acknowledged) expect(keys.get(key)).toBe(id);

        const wanted = new Set(log.map(({ id }) => id));
        await webhooks.hasAll(wanted);
        await device.hasAll(wanted);
        expect(device.isInOrder()).toBe(true);
      });

      it("are replaced one by one: nobody waits more than three seconds, and nothing is lost", async () => {
        const random = seededRandom(7);
        const { cluster, nats, url } = await house(natsServer, nginx, mosquitto);
        const lives = Array.from(
          { length: 100 },
          (_, index) => new Life(`${url}/events`, index % 2 === 0 ? "websocket" : "sse", random),
        );
        cleanUps.push(() => lives.forEach((life) => life.end()));
        await Promise.all(lives.map((life) => life.connected()));
        for (const index of [0, 1, 2]) {
          await cluster.acknowledgedMore(100);
          await cluster.replace(index, "SIGTERM");
        }
        await cluster.acknowledgedMore(100);
        await cluster.quiet();
        const newest = (await readLog(nats.url)).at(-1)?.offset ?? 0;
        await Promise.all(lives.map((life) => life.reached(newest)));
        for (const life of lives) expect(judge(life)).toBe("whole");
        expect(Math.max(...lives.map(({ longestAbsenceMs }) => longestAbsenceMs))).toBeLessThan(3_000);
      });
    });
  });
});

async function house(natsServer: string, nginx: string, mosquitto: string) {
  const nats = await NatsServer.start(natsServer);
  cleanUps.push(() => nats.close());
  const broker = await Mosquitto.start(mosquitto);
  cleanUps.push(() => broker.end());
  const device = await startDevice(broker.url);
  const webhooks = await startReceiver();
  const cluster = new Cluster([nats.url, broker.url, webhooks.origin]);
  cleanUps.push(() => cluster.close());
  await cluster.start();
  const balancer = await startNginx(nginx, cluster.ports);
  cleanUps.push(() => balancer.close());
  return { cluster, nats, url: balancer.url, webhooks, device };
}

/** Three nodes, each a process with a port it keeps. */
class Cluster {
  #ports: readonly number[] = [];
  /** What was published, and the id it was acknowledged with. */
  readonly acknowledged = new Map<string, string>();
  readonly #nodes: ChildProcess[] = [];
  readonly #services: readonly string[];
  #isClosing = false;
  #onAcknowledged: () => void = () => undefined;

  constructor(services: readonly string[]) {
    this.#services = services;
  }

  get ports(): readonly number[] {
    return this.#ports;
  }

  async start(): Promise<void> {
    this.#ports = await Promise.all([freePort(), freePort(), freePort()]);
    await Promise.all([0, 1, 2].map((index) => this.#start(index)));
  }

  acknowledgedMore(count: number): Promise<void> {
    const enough = this.acknowledged.size + count;
    return new Promise((resolve) => {
      this.#onAcknowledged = () => {
        if (this.acknowledged.size >= enough) resolve();
      };
    });
  }

  /** Ends a node and starts another on its port. */
  async replace(index: number, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.#end(index, signal);
    await this.#start(index);
  }

  /** No more is published; what was begun is acknowledged. */
  async quiet(): Promise<void> {
    for (const node of this.#nodes) node.send("quiet");
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#nodes.map((_, index) => this.#end(index, "SIGKILL")));
  }

  async #start(index: number): Promise<void> {
    const node = fork(
      fileURLToPath(new URL("cluster/node.ts", import.meta.url)),
      [`node-${index}`, ...this.#services, String(this.#ports[index]), "5"],
      {
        cwd: fileURLToPath(new URL(".", import.meta.url)),
        execArgv: ["--conditions=@starcast/source", "--import", "tsx"],
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      },
    );
    this.#nodes[index] = node;
    // As a supervisor does: a node that ends by itself is started again.
    node.once("exit", (code) => {
      if (code === 75 && !this.#isClosing) void this.#start(index);
    });
    await new Promise<void>((resolve, reject) => {
      node.once("exit", (code) => code !== 75 && reject(new Error(`Expected a node that serves, got exit ${code}`)));
      node.on("message", (message: { readonly isServing?: true; readonly key?: string; readonly id?: string }) => {
        if (message.isServing === true) {
          resolve();
        } else if (message.key !== undefined && message.id !== undefined) {
          this.acknowledged.set(message.key, message.id);
          this.#onAcknowledged();
        }
      });
    });
  }

  async #end(index: number, signal: NodeJS.Signals): Promise<void> {
    const node = this.#nodes[index];
    if (node === undefined || node.exitCode !== null || node.signalCode !== null) return;
    const exited = once(node, "exit");
    node.kill(signal);
    await exited;
  }
}

/** Everything the log holds, as whoever opens it finds it. */
async function readLog(
  url: string,
): Promise<readonly { readonly offset: number; readonly id: string; readonly key: string }[]> {
  const store = await JetStreamStore.open({ servers: url, stream: "cluster" });
  const events: { readonly offset: number; readonly id: string; readonly key: string }[] = [];
  while (events.length < store.log.head) {
    const page = await store.log.read(events.length, { maxEvents: 1_000, maxBytes: Infinity });
    for (const { offset, json } of page) {
      const { key } = JSON.parse(json) as { readonly key: string };
      events.push({ offset, key, id: `${store.log.epoch}-${offset}` });
    }
  }
  await store.close();
  return events;
}

interface Receiver {
  readonly origin: string;
  hasAll(ids: ReadonlySet<string>): Promise<void>;
}

async function startReceiver(): Promise<Receiver> {
  const ids = new Set<string>();
  let look = (): void => undefined;
  const server = createServer((request, response) => {
    ids.add(String(request.headers["webhook-id"]));
    request.resume().on("end", () => response.writeHead(204).end());
    look();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hasAll: (wanted) =>
      new Promise((resolve) => {
        look = () => {
          if ([...wanted].every((id) => ids.has(id))) resolve();
        };
        look();
      }),
  };
}

async function startDevice(url: string): Promise<{
  hasAll(ids: ReadonlySet<string>): Promise<void>;
  /** Whether what came first of each event is in order, subject by subject. */
  isInOrder(): boolean;
}> {
  const client: MqttClient = await connectAsync(url, { protocolVersion: 5, clientId: "device", clean: false });
  cleanUps.push(() => client.endAsync(true));
  const ids = new Set<string>();
  const bySubject = new Map<string, number[]>();
  let look = (): void => undefined;
  client.on("message", (topic, payload) => {
    const { id } = JSON.parse(payload.toString()) as { readonly id: string };
    if (ids.has(id)) return;
    ids.add(id);
    const offsets = bySubject.get(topic) ?? [];
    bySubject.set(topic, offsets);
    offsets.push(parsePosition(id)?.offset ?? -1);
    look();
  });
  await client.subscribeAsync("cluster/+", { qos: 1 });
  return {
    hasAll: (wanted) =>
      new Promise((resolve) => {
        look = () => {
          if ([...wanted].every((id) => ids.has(id))) resolve();
        };
        look();
      }),
    isInOrder: () =>
      [...bySubject.values()].every((offsets) =>
        offsets.every((offset, at) => at === 0 || offset > (offsets[at - 1] ?? 0)),
      ),
  };
}
