// Installs what is not installed yet, and returns at once when all is there: `setup.mjs [all | demo | bench | runtimes]`.
// The demo needs a small part and the benchmarks a large one; neither makes the other wait.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pnpm } from "./pnpm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const scopes = {
  all: { cwd: root, args: [], manifests: workspaceManifests },
  demo: { cwd: root, args: ["--prod", "--filter-prod", "@starcast/demo..."], manifests: workspaceManifests },
  // Outside the workspace, with a lockfile of its own: its heavy peers stay out of everyone's install.
  bench: { cwd: join(root, "apps/bench"), args: [], manifests: () => [] },
  // Bun and Deno, for the tests that run in them.
  runtimes: { cwd: join(root, "tests/runtimes"), args: [], manifests: () => [] },
};

/** Makes sure that everything this scope needs is installed as its lockfile says. */
export function setup(asked) {
  if (!(asked in scopes)) throw new Error(`Expected one of ${Object.keys(scopes).join(", ")}, got "${asked}"`);
  const stamp = join(scopes[asked].cwd, "node_modules", ".starcast-setup");
  const [installed, fingerprint] = existsSync(stamp) ? readFileSync(stamp, "utf8").split(" ") : [];
  // Whoever has everything keeps everything: a smaller install would take the rest away.
  const name = installed === "all" ? "all" : asked;
  const wanted = fingerprintOf(scopes[name]);
  if (installed === name && fingerprint === wanted) return;
  install(scopes[name]);
  mkdirSync(join(scopes[name].cwd, "node_modules"), { recursive: true });
  writeFileSync(stamp, `${name} ${wanted}`);
}

function install({ cwd, args }) {
  // The age of a release is judged when the lockfile is made; a frozen install takes what that review let through,
  // without asking the registry about each of hundreds of packages again.
  const frozen = ["install", "--frozen-lockfile", "--config.minimumReleaseAge=0", "--reporter=append-only"];
  // Without stdin nothing can ask a question and wait for an answer that never comes.
  const code = pnpm([...frozen, ...args], { cwd, stdio: ["ignore", "inherit", "inherit"] });
  if (code !== 0) process.exit(code);
}

function fingerprintOf({ cwd, manifests }) {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  for (const file of ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests()])
    hash.update(readFileSync(join(cwd, file)));
  return hash.digest("hex");
}

function workspaceManifests() {
  const packages = readdirSync(join(root, "packages")).sort();
  const members = [...packages.map((name) => `packages/${name}`), "apps/demo", "tests/e2e"];
  return members.map((folder) => `${folder}/package.json`).filter((file) => existsSync(join(root, file)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup(process.argv[2] ?? "all");
