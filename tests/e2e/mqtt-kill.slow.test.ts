import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parsePosition } from "@starcast/core";
import { seededRandom } from "@starcast/testing";
import { connectAsync } from "mqtt";
import { afterEach, expect, it } from "vitest";
import { Mosquitto } from "../mosquitto.ts";
import { describeWith } from "../services.ts";

const rounds = Number(process.env["STARCAST_ROUNDS"] ?? 6);

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

interface Frame {
  readonly id?: string;
  readonly type: string;
  readonly data: unknown;
}

/** Everything that reached the MQTT broker, judged as it comes. */
class Witness {
  /** By what was published: the ids it came with. */
  readonly ids = new Map<unknown, Set<string>>();
  readonly states: string[] = [];
  readonly wrong: string[] = [];
  /** Every offset up to here has come. */
  through = 0;
  #look: () => void = () => undefined;

  static async of(url: string): Promise<Witness> {
    const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 });
    cleanUps.push(() => client.endAsync(true));
    const witness = new Witness();
    client.on("message", (_topic, payload) => {
      const frame = JSON.parse(payload.toString()) as Frame;
      if (frame.id === undefined) witness.#hearStatus(frame);
      else witness.#hearEvent(frame.id, frame.data);
      witness.#look();
    });
    await client.subscribeAsync(["t/#", "status"], { qos: 0 });
    return witness;
  }

  /** Resolves when it holds, or something wrong was seen. */
  async until(holds: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#look = () => void ((holds() || this.wrong.length > 0) && resolve());
      this.#look();
    });
  }

  #hearEvent(id: string, data: unknown): void {
    const offset = parsePosition(id)?.offset ?? NaN;
    if (offset > this.through + 1) this.wrong.push(`${offset} after ${this.through}`);
    this.through = Math.max(this.through, offset);
    this.ids.set(data, (this.ids.get(data) ?? new Set()).add(id));
  }

  #hearStatus({ type, data }: Frame): void {
    const { state, position } = data as { readonly state: string; readonly position: string | null };
    this.states.push(type === "client.status" ? state : type);
    const offset = position === null ? 0 : (parsePosition(position)?.offset ?? NaN);
    if (!(offset <= this.through)) this.wrong.push(`a status at ${position}, and nothing after ${this.through}`);
  }
}

function start(path: string, url: string, run: number, events: number, acknowledged: Set<string>): ChildProcess {
  const args = [path, url, String(run), String(events)];
  const child = fork(fileURLToPath(new URL("mqtt-kill/publisher.ts", import.meta.url)), args, {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    execArgv: ["--conditions=@starcast/source", "--import", "tsx"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  cleanUps.push(() => child.kill("SIGKILL"));
  child.on("message", (message: { readonly acknowledged: string }) => acknowledged.add(message.acknowledged));
  return child;
}

describeWith("mosquitto", "a service that publishes to MQTT and is killed with -9 again and again", (program) => {
  it(`loses nothing its store has kept, in order, repeated only with the same id (${rounds} rounds)`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "starcast-mqtt-kill-"));
    cleanUps.push(() => rm(folder, { recursive: true, force: true }));
    const mosquitto = await Mosquitto.start(program, ["max_queued_messages 0"]);
    cleanUps.push(() => mosquitto.end());
    const witness = await Witness.of(mosquitto.url);
    const path = join(folder, "events.db");
    const acknowledged = new Set<string>();
    const random = seededRandom(Number(process.env["STARCAST_SEED"] ?? 1));
    for (let run = 0; run < rounds; run += 1) {
      const child = start(path, mosquitto.url, run, 1_000_000, acknowledged);
      // Killed somewhere in what this one sends: the backlog of the last one, or its own.
      const enough = witness.through + random.integer(1, 600);
      await witness.until(() => witness.through >= enough);
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
      // The will: whoever watches the status knows.
      await witness.until(() => witness.states.at(-1) === "lost");
    }
    start(path, mosquitto.url, rounds, 0, acknowledged);
    await witness.until(() => [...acknowledged].every((each) => witness.ids.has(each)));
    expect(witness.wrong).toEqual([]);
    expect([...witness.ids.values()].every(({ size }) => size === 1)).toBe(true);
    expect(witness.ids.size).toBe(witness.through);
    expect(acknowledged.size).toBeGreaterThan(rounds * 20);
  });
});
