// Fails when an option of an options.ts has no `@default`, or when a `@default` anywhere is not what the code says.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { readOptionInterfaces } from "./option-docs.mjs";

const root = resolve(process.argv[2] ?? ".");
const literal = /^(-?[\d.]+|true|false|Infinity|"[^"<>]*")$/;
const problems = [];
let checked = 0;

// A default may be decided in the file, in its package, or in the packages everything stands on.
const ground = ["core", "standard-webhooks"].flatMap((pkg) => [...readSources(pkg).values()].flatMap(codeLines));

for (const pkg of readdirSync(join(root, "packages"))) {
  const texts = readSources(pkg);
  const own = [...texts.values()].flatMap(codeLines);
  for (const [path, text] of texts) checkFile(path, text, [codeLines(text), own, ground]);
}

function readSources(pkg) {
  const src = join(root, "packages", pkg, "src");
  if (!existsSync(src)) return new Map();
  const names = readdirSync(src, { recursive: true, encoding: "utf8" });
  const sources = names.filter((name) => /(?<!\.(test|test-d|fuzz))\.ts$/.test(name));
  return new Map(sources.map((name) => [join(src, name), readFileSync(join(src, name), "utf8")]));
}

function checkFile(path, text, scopes) {
  for (const { name, options } of readOptionInterfaces(plainNumbers(text))) {
    for (const { name: option, isOptional, type, documented } of options) {
      if (!isOptional) continue;
      checked += 1;
      const label = `${relative(root, path)}: ${name}.${option}`;
      if (documented !== undefined) checkValues(label, scopes, valuesOf(option, type, documented));
      else if (basename(path).endsWith("options.ts")) problems.push(`${label} has no @default`);
    }
  }
}

// `25_000`, `{ spreadMs: 10_000, deadlineMs: 25_000 }`; a default in words is for people. Where `false` stands for a
// whole group, leaving it out is the default, and no line needs to say so.
function valuesOf(option, type, documented) {
  if (documented === "false" && type !== "boolean") return [];
  const members = /^\{(.*)\}/
    .exec(documented)?.[1]
    ?.split(",")
    .map((pair) => pair.split(":").map((part) => part.trim()));
  const first = documented.split(/[:;,] /)[0];
  return (members ?? [[option, first]]).filter(([, value]) => literal.test(value ?? ""));
}

function checkValues(label, scopes, values) {
  for (const [key, value] of values) {
    const found = scopes.flatMap((code) => linesNaming(code, key));
    if (found.some((line) => says(line, value))) continue;
    const nearest = [...new Set(found.map((line) => line.trim()))].slice(0, 3).join(" | ") || "nothing";
    problems.push(
      `${label} documents ${key} as ${value}, the code says: ${nearest} (a default decided elsewhere is told in words)`,
    );
  }
}

// The lines that name the option or its constant (`tries`, `defaultTries`), and the constants those lines name.
function linesNaming(code, key) {
  const lines = code.filter(
    (line) => new RegExp(`\\b(default_?)?${key}\\b`, "i").test(line) && !line.startsWith("import "),
  );
  const constants = new Set(lines.flatMap((line) => line.match(/\w+/g) ?? []));
  return [...lines, ...code.filter((line) => constants.has(/^(?:export )?const (\w+)\b.* = /.exec(line)?.[1]))];
}

function says(line, value) {
  const spoken = { true: "!== false", false: "=== true" }[value];
  return line.split(/[\s,;:(){}[\]=]+/).includes(value) || (spoken !== undefined && line.includes(spoken));
}

// One spelling for each number: 24 * 60 * 60 * 1000, 86_400_000 and 86400000 are the same default.
function plainNumbers(text) {
  const product = (expression) =>
    String(expression.split("*").reduce((total, factor) => total * Number(factor.replaceAll("_", "")), 1));
  return text.replace(/\b\d[\d_]*(\.\d+)?( \* \d[\d_]*(\.\d+)?)*/g, product);
}

function codeLines(text) {
  return plainNumbers(text)
    .replace(/\/\*\*[\s\S]*?\*\//g, "")
    .replace(/^(?:export )?interface [\s\S]*?^\}/gm, "")
    .split("\n");
}

console.log(problems.length === 0 ? `defaults ok: ${checked} options` : problems.join("\n"));
process.exitCode = problems.length === 0 ? 0 : 1;
