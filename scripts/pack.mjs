// Packs every package as it would be published, into node_modules/.cache/starcast-packed, and gives their tarballs.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pnpm } from "./pnpm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "node_modules", ".cache", "starcast-packed");

/** Builds and packs all packages; resolves names to tarballs. */
export function packAll() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const stdio = ["ignore", "ignore", "inherit"];
  run(["exec", "turbo", "run", "build", "--output-logs=errors-only"], { stdio: ["ignore", "inherit", "inherit"] });
  run(["-r", "--filter", "./packages/*", "pack", "--pack-destination", folder], { stdio });
  return Object.fromEntries(readdirSync(join(root, "packages")).map((name) => [`@starcast/${name}`, tarballOf(name)]));
}

function run(args, options) {
  const code = pnpm(args, options);
  if (code !== 0) throw new Error(`Expected pnpm ${args.join(" ")} to end with 0, got ${code}`);
}

function tarballOf(name) {
  const { version } = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
  const tarball = join(folder, `starcast-${name}-${version}.tgz`);
  if (!existsSync(tarball))
    throw new Error(`Expected ${name} to be packed as ${tarball}, found ${readdirSync(folder).join(", ")}`);
  return tarball;
}
