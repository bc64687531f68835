// Installs what is not installed yet, and returns at once when all is there: `setup.mjs [all | demo | bench]`.
// The demo needs a small part and the benchmarks a large one; neither makes the other wait.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pnpm } from "./pnpm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const scopes = {
  all: { cwd: root, args: [], manifests: workspaceManifests },
  demo: { cwd: root, args: ["--filter", "@starcast/demo..."], manifests: workspaceManifests, partOf: "all" },
  // Outside the workspace, with a lockfile of its own: its heavy peers stay out of everyone's install.
  bench: { cwd: join(root, "apps/bench"), args: [], manifests: () => [] },
};

/** Makes sure that everything this scope needs is installed as its lockfile says. */
export function setup(name) {
  const scope = scopes[name];
  if (scope === undefined) throw new Error(`Expected one of ${Object.keys(scopes).join(", ")}, got "${name}"`);
  const wanted = fingerprint(scope);
  if ([name, scope.partOf].some((candidate) => candidate && readStamp(scope, candidate) === wanted)) return;
  // Without stdin nothing can ask a question and wait for an answer that never comes.
  const stdio = ["ignore", "inherit", "inherit"];
  const code = pnpm(["install", "--frozen-lockfile", "--reporter=append-only", ...scope.args], { cwd: scope.cwd, stdio });
  if (code !== 0) process.exit(code);
  mkdirSync(dirname(stampOf(scope, name)), { recursive: true });
  writeFileSync(stampOf(scope, name), wanted);
}

function stampOf(scope, name) {
  return join(scope.cwd, "node_modules", ".starcast", name);
}

function readStamp(scope, name) {
  return existsSync(stampOf(scope, name)) ? readFileSync(stampOf(scope, name), "utf8") : undefined;
}

function fingerprint(scope) {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  for (const file of ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ...scope.manifests()]) {
    hash.update(readFileSync(join(scope.cwd, file)));
  }
  return hash.digest("hex");
}

function workspaceManifests() {
  const packages = readdirSync(join(root, "packages")).sort();
  const members = [...packages.map((name) => `packages/${name}`), "apps/demo", "tests/e2e"];
  return members.map((folder) => `${folder}/package.json`).filter((file) => existsSync(join(root, file)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup(process.argv[2] ?? "all");
