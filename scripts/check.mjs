// `npm run check [-- gate ...]`: every gate that needs no build, as many at a time as there are cores. A gate that
// passes takes one line; one that fails shows what it said.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = readdirSync(join(root, "packages")).sort();
const gates = {
  types: "tsc",
  ...Object.fromEntries(packages.map((name) => [`types:${name}`, `tsc -p packages/${name}`])),
  lint: "oxlint --deny-warnings",
  format: "prettier --check --log-level warn .",
  architecture: "node scripts/check-architecture.mjs",
  defaults: "node scripts/check-defaults.mjs",
  options: "node scripts/options-table.mjs --check",
  manifests: "node scripts/check-manifests.mjs",
  readme: "node scripts/check-readme.mjs",
  sizes: "node scripts/check-sizes.mjs",
  knip: "knip --no-config-hints",
  sherif: "sherif --fail-on-warnings",
};

const asked = process.argv.slice(2);
const queue = Object.entries(gates).filter(
  ([name]) => asked.length === 0 || asked.some((ask) => name === ask || name.startsWith(`${ask}:`)),
);
if (queue.length === 0) throw new Error(`Expected some of ${Object.keys(gates).join(", ")}, got ${asked.join(", ")}`);
const failed = [];

await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await pass(...next);
  }),
);
console.log(failed.length === 0 ? "all gates passed" : `failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function pass(name, command) {
  const started = performance.now();
  const { code, output } = await run(command);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} ${seconds} s`);
  if (code === 0) return;
  failed.push(name);
  console.log(`${output.trimEnd()}\n  again: npm run check -- ${name}\n`);
}

function run(command) {
  const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const child = spawn(command, {
    cwd: root,
    shell: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH: path },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}
