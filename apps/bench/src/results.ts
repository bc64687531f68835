import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./suite.ts";

/** Writes the ratios and what they were measured with; returns the file, seen from the root of the repository. */
export async function writeResults(
  suite: string,
  outcome: Outcome,
  run: { readonly isQuick: boolean; readonly tookMs: number },
): Promise<string> {
  const meta = {
    node: process.versions.node,
    peers: await peerVersions(),
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    rounds: outcome.rounds,
    quick: run.isQuick,
    seconds: Math.round(run.tookMs / 1_000),
  };
  const ratios = Object.fromEntries(
    Object.entries(outcome.ratios).map(([name, value]) => [name, Number(value.toFixed(3))]),
  );
  const folder = new URL("../results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  const name = `${suite}.json`;
  await writeFile(fileURLToPath(new URL(name, folder)), `${JSON.stringify({ ...ratios, meta }, null, 2)}\n`);
  return `apps/bench/results/${name}`;
}

async function peerVersions(): Promise<Record<string, string>> {
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
    readonly dependencies: Record<string, string>;
  };
  const versions: Record<string, string> = {};
  for (const peer of Object.keys(manifest.dependencies).filter((each) => !each.startsWith("@starcast/"))) {
    const own = JSON.parse(
      await readFile(new URL(`../node_modules/${peer}/package.json`, import.meta.url), "utf8"),
    ) as { readonly version: string };
    versions[peer] = own.version;
  }
  return versions;
}

/** Pins a process to one core where the system can; server and load then do not share one. */
export function pin(pid: number | undefined, core: number): void {
  if (pid === undefined) return;
  try {
    execFileSync("taskset", ["-pc", String(core % cpus().length), String(pid)], { stdio: "ignore" });
  } catch {
    // Not everywhere; the medians are then only noisier.
  }
}
