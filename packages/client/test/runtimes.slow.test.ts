import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bundle } from "./bundle.ts";
import { FollowingProcess } from "./following-process.ts";
import { House, type HouseOptions } from "./house.ts";
import { judgeHistory } from "./judge-history.ts";
import type { ProcessOptions } from "./page/process.ts";

const run = promisify(execFile);

const node = { say: ["node", "-p", "process.execPath"], args: [] };

/** npm carries each: what says where it is, and how it runs a program. */
const runtimes = [
  { name: "Node 20", npm: "node@20", hasWebSocket: false, ...node },
  { name: "Node 22", npm: "node@22", hasWebSocket: true, ...node },
  { name: "Node 24", npm: "node@24", hasWebSocket: true, ...node },
  {
    ...{ name: "Bun", npm: "bun@1.4.5", hasWebSocket: true },
    say: ["bun", "-e", "console.log(process.execPath)"],
    args: ["run"],
  },
  {
    ...{ name: "Deno", npm: "deno@2.9.6", hasWebSocket: true },
    say: ["deno", "eval", "console.log(Deno.execPath())"],
    args: ["run", "--no-config", "--no-prompt", "--allow-net=127.0.0.1"],
  },
] as const;

let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "starcast-runtimes-"));
  program = join(folder, "process.js");
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  for (const [name, text] of bundle("process")) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(runtimes)("a client in $name", ({ npm, say, args, hasWebSocket }) => {
  let binary: string | undefined;
  beforeAll(async () => {
    const npx = ["--yes", "--prefer-offline", "--loglevel=error", "-p", npm, "--", ...say];
    // Not there and not to be had: skipped, unless everything is asked for.
    binary = await run("npx", npx, { timeout: 110_000 }).then(
      ({ stdout }) => stdout.trim(),
      (error: unknown) => {
        if (process.env["STARCAST_REQUIRE_SERVICES"] === "1") throw error;
        return undefined;
      },
    );
  });

  const follow = (options: Omit<ProcessOptions, "tokens">): FollowingProcess => {
    const following = new FollowingProcess([binary ?? "", ...args], program, { ...options, tokens: ["stale", "good"] });
    onTestFinished(() => following.kill());
    return following;
  };
  const open = (options: HouseOptions = {}): Promise<House> =>
    House.open({ ...options, gateways: { authorize: ({ token }) => (token === "good" ? { identity: "ada" } : null) } });

  it("misses nothing, over cuts, restarts, tokens and transports, or knows exactly what", async ({ skip }) => {
    skip(binary === undefined, `needs ${npm}`);
    const first = await open();
    const { port, url } = first;
    const one = follow({ url, transport: hasWebSocket ? "websocket" : "auto" });
    await one.untilKind("live");
    for (let cut = 0; cut < 3; cut += 1) {
      const published = first.draw(cut * 100 + 1, cut * 100 + 100);
      first.cut();
      await published;
      await one.untilAt(first.position);
    }
    expect(judgeHistory(one.told)).toEqual([]);
    expect(one.told).toHaveLength(300);
    // Whatever ended was noticed, and not for want of a greeting.
    expect(one.states.map(({ reason }) => reason)).not.toContain("silent");

    await first.close();
    const second = await open({ port });
    await second.draw(1, 10);
    await one.untilAt(second.position);
    expect(judgeHistory(one.told)).toEqual([]);
    expect(one.told.filter(({ gap }) => gap !== undefined)).toHaveLength(1);
    // By itself: nothing of the client holds it.
    expect(await one.end()).toBe(0);

    await second.draw(11, 20);
    const two = follow({ url, transport: "sse", after: one.position });
    await two.untilAt(second.position);
    await second.draw(21, 30);
    await two.untilAt(second.position);
    expect(judgeHistory([...one.told, ...two.told])).toEqual([]);
    expect(two.told).toHaveLength(20);
    expect(await two.end()).toBe(0);
  });
});
