// `npm run bench -- SUITE [--quick]`: measures what is published, so it builds first and runs against dist.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pnpm } from "./pnpm.mjs";
import { setup } from "./setup.mjs";

setup("all");
setup("bench");
const built = pnpm(["exec", "turbo", "run", "build", "--output-logs=errors-only"], {
  stdio: ["ignore", "ignore", "inherit"],
});
if (built !== 0) process.exit(built);

const file = (path) => fileURLToPath(new URL(`../apps/bench/${path}`, import.meta.url));
const args = [
  "--expose-gc",
  "--import",
  file("node_modules/tsx/dist/loader.mjs"),
  file("src/main.ts"),
  ...process.argv.slice(2),
];
spawn(process.execPath, args, { stdio: "inherit" }).on("exit", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
