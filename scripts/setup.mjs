// Installs what is not installed yet, and returns at once when all is there. `setup.mjs demo` installs only what the
// demo needs, so that the first look at Starcast takes seconds.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pnpm } from "./pnpm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const scope = process.argv[2] ?? "all";
const filters = { all: [], demo: ["--filter", "@starcast/demo..."] };
if (!(scope in filters)) throw new Error(`Expected one of ${Object.keys(filters).join(", ")}, got "${scope}"`);

const stampOf = (name) => join(root, "node_modules", ".starcast", name);
const wanted = fingerprint();
if (!isCurrent("all") && !isCurrent(scope)) {
  // Without stdin nothing can ask a question and wait for an answer that never comes.
  const code = pnpm(["install", "--frozen-lockfile", "--reporter=append-only", ...filters[scope]], { stdio: ["ignore", "inherit", "inherit"] });
  if (code !== 0) process.exit(code);
  mkdirSync(stampOf("."), { recursive: true });
  writeFileSync(stampOf(scope), wanted);
}

function isCurrent(name) {
  return existsSync(stampOf(name)) && readFileSync(stampOf(name), "utf8") === wanted;
}

function fingerprint() {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  const members = ["packages", "apps"].flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}/package.json`));
  for (const file of ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", "tests/e2e/package.json", ...members.sort()]) {
    if (existsSync(join(root, file))) hash.update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}
