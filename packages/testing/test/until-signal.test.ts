import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it } from "vitest";

const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill("SIGKILL")));

describe("untilSignal in a process of its own", () => {
  it("aborts at the first signal, and the process then ends by itself", async () => {
    const { child, output } = await started(`
      signal.addEventListener("abort", () => { console.log("draining"); clearInterval(work); });
    `);
    child.kill("SIGTERM");
    expect(await exitOf(child)).toEqual([0, null]);
    expect(output()).toContain("draining");
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("ends the process at once at the second signal: %s", async (name, code) => {
    const { child, heard } = await started(`signal.addEventListener("abort", () => console.log("draining for ever"));`);
    child.kill("SIGTERM");
    await heard("draining for ever");
    child.kill(name);
    expect(await exitOf(child)).toEqual([code, null]);
  });

  it("does not hold the process", async () => {
    const { child } = await started(`clearInterval(work);`);
    expect(await exitOf(child)).toEqual([0, null]);
  });
});

async function started(
  body: string,
): Promise<{ child: ChildProcess; output: () => string; heard: (text: string) => Promise<void> }> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const source = `
    import { untilSignal } from "@starcast/core";
    const work = setInterval(() => undefined, 1_000);
    const signal = untilSignal("SIGINT", "SIGTERM");
    ${body}
    console.log("ready");
  `;
  const child = spawn(
    process.execPath,
    ["--conditions=@starcast/source", "--import", loader, "--input-type=module", "-e", source],
    {
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  children.push(child);
  let text = "";
  const heard = async (wanted: string): Promise<void> => {
    while (!text.includes(wanted)) await once(child.stdout ?? child, "data");
  };
  child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await heard("ready");
  return { child, output: () => text, heard };
}

async function exitOf(child: ChildProcess): Promise<readonly unknown[]> {
  return child.exitCode !== null || child.signalCode !== null
    ? [child.exitCode, child.signalCode]
    : once(child, "exit");
}
