import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, closeSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Publishing } from "./publishing.ts";
import { envelope, find, topic } from "./site.ts";

/** The C client, which reads messages line by line from a file that is there already; from its start to its end. */
export async function mosquittoPub(port: number, qos: 1, count: number): Promise<Publishing> {
  const folder = mkdtempSync(join(tmpdir(), "starcast-bench-"));
  const file = join(folder, "lines");
  writeFileSync(file, Array.from({ length: count }, (_, n) => `${envelope(n)}\n`).join(""));
  const args = ["-h", "127.0.0.1", "-p", String(port), "-V", "5", "-q", String(qos), "-t", topic, "-l"];
  return {
    publish: async () => {
      const input = openSync(file, "r");
      const child = spawn(find("mosquitto_pub"), args, { stdio: [input, "ignore", "inherit"] });
      const [code] = (await once(child, "exit")) as [number | null];
      closeSync(input);
      if (code !== 0) throw new Error(`Expected mosquitto_pub to end with 0, got ${code}`);
    },
    close: async () => rmSync(folder, { recursive: true }),
  };
}
