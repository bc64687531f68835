import process from "node:process";
import { connect, type ConnectOptions } from "@starcast/client";
import { hurried } from "./hurried.ts";

/** What a test asks of a process; everything it can be written as JSON. */
export interface ProcessOptions extends Pick<ConnectOptions, "transport" | "after"> {
  readonly url: string;
  /** Tokens given one after the other, the last one for ever. */
  readonly tokens: readonly string[];
}

// Follows what it is told to, says what it is told in lines of JSON, and closes when its input ends. What every runtime
// of servers has of Node is enough.
const { tokens, ...options } = JSON.parse(process.argv[2] ?? "{}") as ProcessOptions;
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
let asked = 0;
const runtime = { surroundings: hurried(50) };
const client = connect({ ...options, runtime, getToken: () => tokens[Math.min(asked++, tokens.length - 1)] ?? null });
client.on("**", (event) => say({ event }));
client.on("gap", (gap) => say({ gap }));
client.on("state", (state) => say({ state }));
process.stdin.on("end", () => void client.close());
process.stdin.resume();
