// Runs pnpm on a machine that may have only Node and npm: the one on PATH when its major fits, else npx fetches ours.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("..", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")).devEngines.packageManager;
const windows = process.platform === "win32";

/** Runs pnpm with these arguments and gives its exit code. */
export function pnpm(args, options = {}) {
  const [command, ...first] = pnpmOnPath()
    ? ["pnpm"]
    : ["npx", "--yes", "--loglevel=error", `--package=pnpm@${version}`, "--", "pnpm"];
  const env = { ...process.env, npm_config_update_notifier: "false", TURBO_TELEMETRY_DISABLED: "1" };
  const result = spawnSync(command, [...first, ...args], {
    cwd: fileURLToPath(root),
    stdio: "inherit",
    env,
    shell: windows,
    ...options,
  });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

function pnpmOnPath() {
  const found = spawnSync("pnpm", ["--version"], { encoding: "utf8", shell: windows });
  return found.status === 0 && found.stdout.trim().split(".")[0] === version.split(".")[0];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = pnpm(process.argv.slice(2), { cwd: process.cwd() });
}
