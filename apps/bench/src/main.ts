// `npm run bench -- SUITE [--quick]`: contenders side by side in one run, interleaved; prints a table, writes results/SUITE.json.
import { drawChart } from "./chart.ts";
import { printTable } from "./table.ts";
import { writeResults } from "./results.ts";
import type { Suite } from "./suite.ts";

const suites: Readonly<Record<string, () => Promise<{ readonly suite: Suite }>>> = {
  core: () => import("./suites/core.ts"),
  websocket: () => import("./suites/websocket.ts"),
  compression: () => import("./suites/compression.ts"),
  sse: () => import("./suites/sse.ts"),
  webhook: () => import("./suites/webhook.ts"),
  sqlite: () => import("./suites/sqlite.ts"),
  nats: () => import("./suites/nats.ts"),
  mqtt: () => import("./suites/mqtt.ts"),
};

const args = process.argv.slice(2);
const isQuick = args.includes("--quick");
const [name = ""] = args.filter((arg) => !arg.startsWith("--"));
if (name === "chart") {
  console.log(await drawChart());
  process.exit(0);
}
const load = suites[name];
if (load === undefined) {
  console.error(
    `Expected a suite (${Object.keys(suites).join(", ")}), got "${name}": npm run bench -- websocket --quick`,
  );
  process.exit(1);
}

const { suite } = await load();
const started = Date.now();
const outcome = await suite({ isQuick, say: (line) => console.error(line) });
printTable(outcome.rows);
console.log("\nRatios (more is better for Starcast unless the name says bytes, ms or vsStringify):");
for (const [ratio, value] of Object.entries(outcome.ratios)) console.log(`  ${ratio.padEnd(34)} ${value.toFixed(2)}`);
const file = await writeResults(name, outcome, { isQuick, tookMs: Date.now() - started });
console.log(`\n${file}`);
if (!isQuick && (name === "websocket" || name === "sse")) console.log(await drawChart());
// Peers leave timers behind; what is measured is measured.
process.exit(0);
