// Fails when the house is not built as docs/architecture.md says. No dependencies; ~50 ms.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";

const root = resolve(process.argv[2] ?? ".");
const scope = "@starcast/";
const maxLines = 300;
// A package may import only packages of a lower layer; siblings never meet, but for the doors below.
const layers = [
  ["core", "standard-webhooks"],
  ["websocket", "sse", "mqtt", "webhook", "client", "sqlite", "nats", "catalog", "telemetry"],
  ["testing"],
];
const layerOf = (pkg) => layers.findIndex((names) => names.includes(pkg));
// Who may come in through which door. `wire` is all that a browser needs; `gateway` is what the two gateways share, and how
// addresses are read, which what guards outgoing connections must not read otherwise.
const doors = {
  "core/gateway": ["websocket", "sse", "webhook"],
  "standard-webhooks": ["webhook"],
};
const onlyDoors = { client: ["core/wire"] };
// Inside core the folders stand on each other in this order, and no arrow runs back up.
const coreFloors = ["", "event", "log encoding observe wire", "subscriber store", "pump", "broker", "gateway"].map(
  (floor) => floor.split(" "),
);
const floorOf = (folder) => coreFloors.findIndex((floor) => floor.includes(folder));
// The caps count over all gateways of a broker, so the broker owns what counts them.
const stairs = new Set(["broker/broker.ts ../gateway/admission.ts"]);
const drawers = /^(utils?|helpers?|common|misc|shared|types|lib|manager|base)(\.|-)/;
const problems = [];
const graph = new Map();
const walked = new Set();

for (const pkg of readdirSync(join(root, "packages"))) {
  const src = join(root, "packages", pkg, "src");
  if (layerOf(pkg) < 0) problems.push(`packages/${pkg}: has no layer in scripts/check-architecture.mjs`);
  if (!existsSync(src)) continue;
  for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    checkFile(pkg, src, file, readFileSync(file, "utf8"));
  }
}
for (const start of graph.keys()) findCycle(start, []);

function checkFile(pkg, src, file, text) {
  const where = relative(root, file);
  const name = basename(file);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|test-d|slow\.test|browser\.test|fuzz|bench))?\.tsx?$/.test(name))
    problems.push(`${where}: file names are kebab-case`);
  if (drawers.test(name)) problems.push(`${where}: name the idea, not the drawer`);
  if (/\.(test|test-d|fuzz|bench)\.tsx?$/.test(name)) return;
  const lines = text.split("\n").length;
  if (lines > maxLines) problems.push(`${where}: ${lines} lines; more than ${maxLines} is more than one idea`);
  if (/^export default/m.test(text)) problems.push(`${where}: use a named export`);
  if (name === "index.ts" && /^(export )?(const|let|function|class) /m.test(text))
    problems.push(`${where}: index.ts only lists exports`);
  const valueImports = [];
  for (const [, typeOnly, specifier] of text.matchAll(/^(?:import|export)\s+(type\s)?[^"';]*?from\s+"([^"]+)"/gm)) {
    const problem = checkImport(pkg, src, file, specifier, Boolean(typeOnly));
    if (problem) problems.push(`${where}: ${problem}`);
    if (specifier.startsWith(".") && !typeOnly) valueImports.push(resolve(dirname(file), specifier));
  }
  graph.set(file, valueImports);
}

function checkImport(pkg, src, file, specifier, typeOnly) {
  if (specifier.startsWith(scope)) return checkPackageImport(pkg, specifier.slice(scope.length));
  if (specifier.startsWith(".")) return checkRelativeImport(pkg, src, file, specifier, typeOnly);
  if (pkg === "core") return `core runs everywhere and imports nothing, not even ${specifier}`;
  return undefined;
}

function checkPackageImport(pkg, door) {
  const target = door.split("/")[0];
  if (layerOf(target) >= layerOf(pkg)) return `${pkg} must not import ${target}`;
  if (onlyDoors[pkg] && !onlyDoors[pkg].includes(door)) return `${pkg} may import only ${onlyDoors[pkg].join(", ")}`;
  if (doors[door] && !doors[door].includes(pkg) && pkg !== "testing")
    return `only ${doors[door].join(", ")} may import ${door}`;
  return undefined;
}

function checkRelativeImport(pkg, src, file, specifier, typeOnly) {
  const target = resolve(dirname(file), specifier);
  if (!target.startsWith(src + sep)) return `reaches outside its package (${specifier})`;
  if (pkg !== "core") return undefined;
  const folders = [file, target].map((path) => relative(src, path).split(sep).slice(0, -1)[0] ?? "");
  const [from, to] = folders;
  if (from === "wire" && to !== "wire") return "wire/ stands alone";
  // Files beside index.ts (errors, clock, options) are the ground; index.ts itself sees all. A port may name a type of
  // a higher floor (an observer is told what a subscriber was told); code must not be called upwards.
  if (typeOnly || from === "" || to === "" || stairs.has(`${relative(src, file)} ${specifier}`)) return undefined;
  if (floorOf(from) < 0) return `core has no floor for ${from}/ in scripts/check-architecture.mjs`;
  return floorOf(to) > floorOf(from) ? `${from}/ must not stand on ${to}/ (${specifier})` : undefined;
}

function findCycle(file, path) {
  const at = path.indexOf(file);
  if (at >= 0) {
    problems.push(`import cycle: ${[...path.slice(at), file].map((step) => relative(root, step)).join(" -> ")}`);
  } else if (!walked.has(file)) {
    for (const next of graph.get(file) ?? []) findCycle(next, [...path, file]);
    walked.add(file);
  }
}

for (const problem of new Set(problems)) console.error(problem);
console.log(problems.length === 0 ? `architecture ok: ${graph.size} files` : `${new Set(problems).size} problem(s)`);
process.exitCode = problems.length === 0 ? 0 : 1;
