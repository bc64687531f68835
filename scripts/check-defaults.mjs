// Fails when the `@default` written for an option is not the default in the code beside it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(process.argv[2] ?? ".");
const problems = [];
let checked = 0;

for (const pkg of readdirSync(join(root, "packages"))) {
  const src = join(root, "packages", pkg, "src");
  if (!existsSync(src)) continue;
  for (const file of readdirSync(src, { recursive: true })) {
    if (/(^|[\\/-])options\.ts$/.test(file)) checkOptions(`packages/${pkg}/src/${file}`, readFileSync(join(src, file), "utf8"));
  }
}

// Only what users write (interfaces named ...Options) needs a default; resolved options have none left.
function checkOptions(where, text) {
  for (const [, name, extended, body] of text.matchAll(/^export interface (\w*Options)(?:<[^{]*>)?( extends [^{]+)? \{\n([\s\S]*?)^\}/gm)) {
    if (name.startsWith("Resolved")) continue;
    for (const [, comment, option] of body.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)?\s*readonly (\w+)\?:/g)) {
      checked += 1;
      const documented = /@default\s+(.+?)\s*(?:\*\/|$)/m.exec(comment ?? "")?.[1];
      if (documented === undefined) problems.push(`${where}: ${name}.${option} has no @default`);
      else checkValue(where, text, `${name}.${option}`, option, documented);
    }
    void extended;
  }
}

// A default that is a literal must stand in the code as `option: literal`; a default in words ("none", "the head") is for people.
function checkValue(where, text, label, option, documented) {
  if (!/^(-?[\d_.]+( \* [\d_.]+)*|true|false|Infinity|"[^"]*"|\[.*\])$/.test(documented)) return;
  const code = text.replace(/\/\*\*[\s\S]*?\*\//g, "");
  const values = [...code.matchAll(new RegExp(`\\b${option}(?::|\\s+=)\\s*([^\\n;]+?)[,;]?(?:\\s+\\}|\\n)`, "g"))].map((match) => match[1]);
  if (!values.includes(documented)) problems.push(`${where}: ${label} documents ${documented}, code says ${values.join(" or ") || "nothing"}`);
}

console.log(problems.length === 0 ? `defaults ok: ${checked} options` : problems.join("\n"));
process.exitCode = problems.length === 0 ? 0 : 1;
