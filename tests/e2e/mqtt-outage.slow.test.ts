import { fork, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { Mosquitto } from "../mosquitto.ts";
import { describeWith } from "../services.ts";
import { Receiver } from "./mqtt-outage/receiver.ts";

// By hand: STARCAST_EVENTS=1000000 npx vitest run --project slow tests/e2e/mqtt-outage.slow.test.ts (a minute).
const events = Number(process.env["STARCAST_EVENTS"] ?? 60_000);
/** By then the hot window of 8 MiB is full. */
const settled = 30_000;
const flatBytes = 16 * 1_048_576;

interface Look {
  readonly kind: "published" | "ready" | "sent";
  readonly events: number;
  readonly residentBytes: number;
  readonly heldBytes: number;
  readonly dropped: number;
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

function publish(path: string, url: string): { readonly child: ChildProcess; readonly looks: Look[] } {
  const child = fork(fileURLToPath(new URL("mqtt-outage/publisher.ts", import.meta.url)), [path, url, String(events)], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    execArgv: ["--expose-gc", "--conditions=@starcast/source", "--import", "tsx"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  cleanUps.push(() => child.kill("SIGKILL"));
  const looks: Look[] = [];
  child.on("message", (look: Look) => void looks.push(look));
  return { child, looks };
}

async function until(child: ChildProcess, isIt: (look: Look) => boolean): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.on("message", (look: Look) => void (isIt(look) && resolve()));
    child.once("exit", (code) => reject(new Error(`Expected the publisher to go on, got exit ${code}`)));
  });
}

/** For whoever runs it by hand. */
function tell(looks: readonly Look[]): void {
  const mebi = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;
  for (const { kind, events: count, residentBytes, heldBytes } of looks)
    console.info(`${kind} ${count}: resident ${mebi(residentBytes)}, held ${mebi(heldBytes)}`);
}

function growth(looks: readonly Look[], bytesOf: (look: Look) => number): number {
  const [first, ...later] = looks.filter((look) => look.events >= settled || look.kind === "sent").map(bytesOf);
  return Math.max(...later) - (first ?? NaN);
}

describeWith("mosquitto", "an outage of the MQTT broker, with the SQLite store", (program) => {
  it(`costs no memory for ${events} events, all of which are then delivered in order`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "starcast-mqtt-outage-"));
    cleanUps.push(() => rm(folder, { recursive: true, force: true }));
    // By default Mosquitto drops what a receiver has not read when 1,000 messages wait for it.
    const config = ["max_queued_messages 0"];
    const mosquitto = await Mosquitto.start(program, config);
    cleanUps.push(() => mosquitto.end());
    await mosquitto.kill();

    const { child, looks } = publish(join(folder, "events.db"), mosquitto.url);
    await until(child, ({ kind }) => kind === "ready");
    expect(growth(looks, ({ residentBytes }) => residentBytes)).toBeLessThan(flatBytes);

    await mosquitto.start(config);
    const receiver = await Receiver.of(mosquitto.url, "t/#");
    cleanUps.push(() => receiver.end());
    const isSent = until(child, (look) => look.kind === "sent" && look.events === events);
    child.send("connect");
    await receiver.until(events);
    expect([receiver.jump, receiver.repeats]).toEqual([null, 0]);
    await isSent;
    expect(growth(looks, ({ heldBytes }) => heldBytes)).toBeLessThan(flatBytes);
    expect(looks.at(-1)?.dropped).toBe(0);
    if (process.env["STARCAST_EVENTS"] !== undefined) tell(looks);
  });
});
