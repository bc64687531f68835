// Fails when a README is too long to be read, shows nothing that runs, or leads nowhere.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { readExamples } from "./readme-examples.mjs";

const root = resolve(process.argv[2] ?? ".");
const maxLines = 150;
const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}/README.md`);
const documents = ["CONTRIBUTING.md", "SECURITY.md", ...listMarkdown("docs")];
const problems = [];

for (const file of ["README.md", ...packages]) {
  if (!existsSync(join(root, file))) {
    problems.push(`${file}: missing`);
    continue;
  }
  const text = readFileSync(join(root, file), "utf8");
  const lines = text.split("\n").length;
  if (file !== "README.md" && lines > maxLines) problems.push(`${file}: ${lines} lines, more than ${maxLines}`);
  // The examples of the contract suites are test files; this repository's own tests run them.
  if (!file.includes("/testing/") && readExamples(text).length === 0)
    problems.push(`${file}: no example that runs (\`js runs\` or \`js serves\`)`);
  checkLinks(file, text);
}
for (const file of documents)
  if (existsSync(join(root, file))) checkLinks(file, readFileSync(join(root, file), "utf8"));

function checkLinks(file, text) {
  for (const [, target] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)) {
    if (!existsSync(join(root, dirname(file), target)))
      problems.push(`${file}: links to ${target}, which is not there`);
  }
}

function listMarkdown(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
}

console.log(problems.join("\n") || `readmes ok: ${packages.length + 1}`);
process.exitCode = problems.length === 0 ? 0 : 1;
