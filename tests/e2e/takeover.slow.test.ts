import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Broker } from "@starcast/core";
import { JetStreamStore } from "@starcast/nats";
import { afterEach, expect, it } from "vitest";
import { NatsServer } from "../nats-server.ts";
import { describeWith } from "../services.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

describeWith("nats-server", "a durable subscription of several processes", (program) => {
  it.each(["SIGKILL", "SIGSTOP"] as const)(
    "is taken over from one that %s ends, skips nothing, and never goes back",
    async (signal) => {
      const nats = await NatsServer.start(program);
      cleanUps.push(() => nats.close());
      const store = await JetStreamStore.open({ servers: nats.url });
      const broker = new Broker({ store, observe: [] });
      cleanUps.push(() => broker.close());
      const workers = [new Worker(nats.url), new Worker(nats.url)];
      cleanUps.push(() => Promise.all(workers.map((worker) => worker.end())));

      const publishing = publishEvery(broker, 5);
      const places = watchPlaces(store);
      const holder = await Promise.race(workers.map((worker) => worker.handledMore(50)));
      const other = workers.find((worker) => worker !== holder);
      holder.process.kill(signal);
      await other?.handledMore(50);
      // What it was about to say of its place is refused.
      holder.process.kill("SIGCONT");
      await other?.handledMore(100);
      const published = await publishing.end();

      const handled = (): ReadonlySet<number> => new Set(workers.flatMap((worker) => worker.handled));
      await expect.poll(() => handled().size, { timeout: 20_000 }).toBe(published);
      expect(Math.max(...handled())).toBe(published);
      await expect
        .poll(async () => (await store.checkpoints.load("worker"))?.offset, { timeout: 20_000 })
        .toBe(published);
      const seen = await places.end();
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      // Each was handed its events in order, each once.
      for (const { handled: own } of workers) expect(own).toEqual([...new Set(own)].toSorted((a, b) => a - b));
    },
  );
});

class Worker {
  readonly process: ChildProcess;
  readonly handled: number[] = [];
  #onHandled: () => void = () => undefined;

  constructor(url: string) {
    this.process = fork(fileURLToPath(new URL("takeover/worker.ts", import.meta.url)), [url], {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      execArgv: ["--conditions=@starcast/source", "--import", "tsx"],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.process.on("message", (number) => {
      this.handled.push(Number(number));
      this.#onHandled();
    });
  }

  handledMore(count: number): Promise<Worker> {
    const enough = this.handled.length + count;
    return new Promise((resolve) => {
      this.#onHandled = () => {
        if (this.handled.length >= enough) resolve(this);
      };
    });
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await exited;
  }
}

/** Publishes 1, 2, 3 ... until it is ended, and says how many. */
function publishEvery(broker: Broker, ms: number): { end(): Promise<number> } {
  let isEnding = false;
  const run = async (): Promise<number> => {
    for (let number = 1; ; number += 1) {
      await broker.publish("test.happened", number);
      if (isEnding) return number;
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  };
  const running = run();
  return {
    end: () => {
      isEnding = true;
      return running;
    },
  };
}

/** Every place the subscription was seen at. */
function watchPlaces({ checkpoints }: JetStreamStore): { end(): Promise<readonly number[]> } {
  let isEnding = false;
  const places: number[] = [];
  const run = async (): Promise<readonly number[]> => {
    while (!isEnding) places.push((await checkpoints.load("worker"))?.offset ?? 0);
    return places;
  };
  const running = run();
  return {
    end: () => {
      isEnding = true;
      return running;
    },
  };
}
