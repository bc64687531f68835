import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Broker } from "./broker.ts";
import { untilSignal } from "./until-signal.ts";

// The module in a process of its own: its signals are the process's. Compiled, since Node 20 does not run TypeScript.
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "until-signal-"));
  for (const name of ["broker/until-signal", "errors"]) {
    const source = readFileSync(new URL(`../${name}.ts`, import.meta.url), "utf8").replace(
      "../errors.ts",
      "./errors.mjs",
    );
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    writeFileSync(join(folder, `${name.split("/").at(-1) ?? name}.mjs`), outputText);
  }
  writeFileSync(
    join(folder, "main.mjs"),
    `import { untilSignal } from "./until-signal.mjs";
     const signal = untilSignal("SIGINT", "SIGTERM");
     if (process.argv[2] === "stay") setInterval(() => {}, 1_000);
     signal.addEventListener("abort", () => console.log("aborted", signal.reason));
     console.log("listening");`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("untilSignal", () => {
  it.each([[["INT"]], [["SIGTERM", "sigint"]], [[]]])("refuses what is no signal to wait for: %j", (names) => {
    expect(() => untilSignal(...(names as ["SIGINT"]))).toThrow(expect.objectContaining({ code: "invalid_option" }));
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("aborts at the first %s, and ends the process at the second", async (name, exitCode) => {
    const child = start("stay");
    expect(await child.line()).toBe("listening");
    child.kill(name);
    expect(await child.line()).toBe(`aborted ${name}`);
    child.kill(name);
    expect(await child.ended).toEqual([exitCode, null]);
  });

  it("takes a second signal of another name as a second", async () => {
    const child = start("stay");
    await child.line();
    child.kill("SIGTERM");
    await child.line();
    child.kill("SIGINT");
    expect(await child.ended).toEqual([130, null]);
  });

  it("is listened for until the last broker that runs with it has ended, and again for the next", async () => {
    const listeners = (): number => process.listenerCount("SIGHUP");
    const before = listeners();
    const signal = untilSignal("SIGHUP");
    expect(listeners()).toBe(before + 1);
    const [first, second] = [new Broker({ observe: [] }), new Broker({ observe: [] })];
    const running = [first.run({ signal }), second.run({ signal })];
    await first.close();
    await running[0];
    expect(listeners()).toBe(before + 1);
    await second.close();
    await running[1];
    expect(listeners()).toBe(before);
    const third = new Broker({ observe: [] });
    const last = third.run({ signal });
    expect(listeners()).toBe(before + 1);
    process.emit("SIGHUP");
    await last;
    expect([signal.aborted, listeners()]).toEqual([true, before]);
  });

  it("does not hold the process", async () => {
    expect(await start("go").ended).toEqual([0, null]);
  });
});

function start(argument: string) {
  const child = spawn(process.execPath, [join(folder, "main.mjs"), argument], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const complete = (rest + text).split("\n");
    rest = complete.pop() ?? "";
    for (const line of complete) {
      const resolve = waiting.shift();
      if (resolve === undefined) lines.push(line);
      else resolve(line);
    }
  });
  const line = (): Promise<string> => {
    const first = lines.shift();
    return first === undefined ? new Promise((resolve) => void waiting.push(resolve)) : Promise.resolve(first);
  };
  return { line, kill: (name: NodeJS.Signals) => child.kill(name), ended: once(child, "exit") };
}
