import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, closeSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { envelope, find } from "./site.ts";

/** Messages per second of the C client, which reads them line by line; from its start to its end. */
export async function mosquittoPub(port: number, qos: 1, count: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "starcast-bench-"));
  const file = join(folder, "lines");
  writeFileSync(file, Array.from({ length: count }, (_, n) => `${envelope(n)}\n`).join(""));
  const input = openSync(file, "r");
  const started = performance.now();
  const args = ["-h", "127.0.0.1", "-p", String(port), "-V", "5", "-q", String(qos), "-t", "bench/model/updated", "-l"];
  const child = spawn(find("mosquitto_pub"), args, { stdio: [input, "ignore", "inherit"] });
  const [code] = (await once(child, "exit")) as [number | null];
  const rate = (count * 1_000) / (performance.now() - started);
  closeSync(input);
  rmSync(folder, { recursive: true });
  if (code !== 0) throw new Error(`Expected mosquitto_pub to end with 0, got ${code}`);
  return rate;
}
