// Keeps the option tables of the READMEs true: everything between `<!-- options SseOptions -->` and `<!-- end -->` is
// written from the doc comments of that interface. `--check` only says what is out of date.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readOptionInterfaces } from "./option-docs.mjs";

const root = resolve(process.argv[3] ?? ".");
const isCheck = process.argv[2] === "--check";
const block = /^<!-- options (\w+) -->\n[\s\S]*?^<!-- end -->$/gm;
const packages = readdirSync(join(root, "packages"));
const known = new Map(packages.flatMap(readSources).map((found) => [found.name, found]));
const stale = [];

for (const readme of ["README.md", ...packages.map((name) => `packages/${name}/README.md`)]) {
  if (!existsSync(join(root, readme))) continue;
  const before = readFileSync(join(root, readme), "utf8");
  const after = before.replace(block, (_, name) => `<!-- options ${name} -->\n${tableOf(name)}\n<!-- end -->`);
  if (after === before) continue;
  stale.push(readme);
  if (!isCheck) writeFileSync(join(root, readme), after);
}

function readSources(pkg) {
  const src = join(root, "packages", pkg, "src");
  if (!existsSync(src)) return [];
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return files.flatMap((file) => readOptionInterfaces(readFileSync(join(src, file), "utf8")));
}

function tableOf(name) {
  const rows = optionsOf(name).map(({ name: option, isOptional, promise, documented }) => {
    const standing = documented === undefined ? (isOptional ? "" : "required") : formatDefault(documented);
    return `| \`${option}\` | ${standing} | ${promise.replaceAll("|", "\\|")} |`;
  });
  // Padded columns would turn one changed sentence into a changed table.
  const [start, end] = ["start", "end"].map((edge) => `<!-- prettier-ignore-${edge} -->`);
  return [start, "", "| option | default | what it does |", "| --- | --- | --- |", ...rows, "", end].join("\n");
}

function optionsOf(name) {
  const found = known.get(name);
  if (found === undefined) throw new Error(`Expected an interface ${name} in packages/*/src, found none`);
  return [...found.parents.flatMap(optionsOf), ...found.options];
}

// Values are code, words are words.
function formatDefault(documented) {
  return /^([-\d"{[]|(true|false|Infinity)\b)/.test(documented)
    ? `\`${documented}\``
    : documented.replaceAll("|", "\\|");
}

if (isCheck && stale.length > 0) console.error(`${stale.join(", ")}: out of date; run npm run options`);
else console.log(stale.length === 0 ? "option tables ok" : `wrote ${stale.join(", ")}`);
process.exitCode = isCheck && stale.length > 0 ? 1 : 0;
