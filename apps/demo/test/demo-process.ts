import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const loader = "./apps/demo/node_modules/tsx/dist/loader.mjs";

/** The demo as `npm run demo` starts it. */
export interface DemoProcess {
  /** Everything it has written so far. */
  readonly output: () => string;
  /** Resolves with the first match in what it writes; rejects when it ends before. */
  wrote(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<number | null>;
}

export function startDemo(args: readonly string[], env: NodeJS.ProcessEnv = {}): DemoProcess {
  const child = spawn(
    process.execPath,
    ["--conditions=@starcast/source", "--import", loader, "apps/demo/src/main.ts", ...args],
    {
      cwd: root,
      env: { ...process.env, MQTT_URL: undefined, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => void (output += text));
  // A signal leaves no exit code; and what was written last comes after the exit, but before this.
  let hasEnded = false;
  const ended = once(child, "close").then(([code]) => {
    hasEnded = true;
    return code as number | null;
  });
  return {
    output: () => output,
    ended,
    kill: (signal) => void child.kill(signal),
    wrote: async (pattern) => {
      for (let match = pattern.exec(output); ; match = pattern.exec(output)) {
        if (match !== null) return match;
        if (hasEnded) throw new Error(`Expected the demo to write ${pattern}, it ended with:\n${output}`);
        await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), ended]);
      }
    },
  };
}
