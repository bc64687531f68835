import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { expect, it, onTestFinished } from "vitest";
import { describeWith, findService } from "../../../tests/services.ts";
import { seriousFaults } from "./serious-faults.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

describeWith("nats-server", "the demo of three gateways", () => {
  it("serves a client through the balancer, and misses nothing when its node is killed", async () => {
    const demo = start(["--cluster", "3"]);
    onTestFinished(() => void demo.child.kill("SIGKILL"));
    const origin = await demo.origin();
    const follower = new Follower(origin);
    onTestFinished(() => follower.close());
    await follower.seen(10);
    const serving = (await nodesAt(origin)).find(({ clients }) => clients === 1);
    expect(await post(`${origin}/kill?node=${serving?.name}`)).toBe(204);
    await follower.connections(2);
    await follower.seen(10);
    expect(follower.offsets).toEqual(follower.offsets.map((_, index) => (follower.offsets[0] ?? 0) + index));
    expect(await post(`${origin}/kill?node=nobody`)).toBe(404);
    expect((await fetch(`${origin}//`)).status).toBe(400);
    expect(await post(`${origin}/kill?node=node-1`, { origin: "http://elsewhere.example" })).toBe(403);
    expect((await nodesAt(origin)).reduce((sum, { kills }) => sum + kills, 0)).toBe(1);
    await watch(origin);
    follower.close();
    const exited = once(demo.child, "exit");
    demo.child.kill("SIGINT");
    expect(await exited).toEqual([0, null]);
  });
});

/** The page, where there is a browser for it: kills the node that serves it, and is told everything all the same. */
async function watch(origin: string): Promise<void> {
  const executablePath = findService("chromium");
  if (executablePath === undefined) return;
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 360, height: 900 } });
  const troubles: string[] = [];
  page.on("pageerror", ({ message }) => void troubles.push(message));
  const number = async (name: string): Promise<number> =>
    Number(await page.locator(`#shared-log [data-number=${name}]`).textContent());
  const untilNumber = (name: string, least: number): Promise<unknown> =>
    page.waitForFunction(
      ([where, wanted]) => Number(document.querySelector(String(where))?.textContent) >= Number(wanted),
      [`#shared-log [data-number=${name}]`, least],
    );
  await page.goto(origin);
  await untilNumber("events", 5);
  expect(await page.locator("[data-node]").count()).toBe(3);
  const busiest = (await nodesAt(origin)).filter(({ clients }) => clients > 0);
  // One of them serves the page, the other the follower.
  for (const { name } of busiest) await page.getByRole("button", { name: `Kill ${name}` }).click();
  await page.locator("[data-node][data-state=down]").first().waitFor();
  await untilNumber("reconnects", 1);
  await untilNumber("events", (await number("events")) + 5);
  expect([await number("missing"), await number("gaps"), troubles]).toEqual([0, 0, []]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  expect(await seriousFaults(page)).toEqual([]);
}

it("says what it needs where there is no nats-server", async () => {
  const { child, errors } = start(["--cluster", "3"], { NATS_SERVER: "/nowhere" });
  expect(await once(child, "exit")).toEqual([2, null]);
  expect(errors()).toMatch(/nats-server/);
});

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const loader = fileURLToPath(new URL("../node_modules/tsx/dist/loader.mjs", import.meta.url));
  const flags = ["--conditions=@starcast/source", "--import", loader, "apps/demo/src/start.ts"];
  const child: ChildProcess = spawn(process.execPath, [...flags, ...args], {
    cwd: root,
    env: { ...process.env, NATS_URL: undefined, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const origin = (): Promise<string> =>
    new Promise((resolve, reject) => {
      let output = "";
      child.once("exit", () => reject(new Error(errors)));
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const found = /Starcast is at (http:\/\/[0-9.:]+)\//.exec(output)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
  return { child, origin, errors: () => errors };
}

/** An SSE client that comes back with the last id it saw. */
class Follower {
  readonly offsets: number[] = [];
  readonly #origin: string;
  #lastId = "";
  #connected = 0;
  #isClosed = false;
  #request: ReturnType<typeof request> | null = null;
  #look: () => void = () => undefined;

  constructor(origin: string) {
    this.#origin = origin;
    this.#connect();
  }

  /** So many more events. */
  seen(count: number): Promise<void> {
    const enough = this.offsets.length + count;
    return this.#until(() => this.offsets.length >= enough);
  }

  connections(count: number): Promise<void> {
    return this.#until(() => this.#connected >= count);
  }

  close(): void {
    this.#isClosed = true;
    this.#request?.destroy();
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => {
        if (holds()) resolve();
      };
      this.#look();
    });
  }

  #connect(): void {
    if (this.#isClosed) return;
    const headers = this.#lastId === "" ? {} : { "last-event-id": this.#lastId };
    const sent = request(`${this.#origin}/events`, { headers, agent: false }, (response) => {
      let rest = "";
      response.on("error", () => undefined);
      response.setEncoding("utf8").on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line.startsWith("data: ")) this.#take(line.slice(6));
      });
    });
    this.#request = sent;
    sent.on("error", () => undefined);
    sent.once("close", () => setTimeout(() => this.#connect(), 50));
    sent.end();
  }

  #take(text: string): void {
    const { id, type } = JSON.parse(text) as { readonly id?: string; readonly type: string };
    if (type === "client.connected") this.#connected += 1;
    if (id !== undefined) {
      this.#lastId = id;
      this.offsets.push(Number(id.split("-")[1]));
    }
    this.#look();
  }
}

async function nodesAt(
  origin: string,
): Promise<readonly { readonly name: string; readonly kills: number; readonly clients: number }[]> {
  return (await (await fetch(`${origin}/nodes`)).json()) as Awaited<ReturnType<typeof nodesAt>>;
}

async function post(url: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const sent = request(url, { method: "POST", headers, agent: false }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}
