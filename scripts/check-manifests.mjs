// Fails when a package would be published in another shape than its neighbours.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";

const root = resolve(process.argv[2] ?? ".");
const read = (path) => readFileSync(join(root, path), "utf8");
const license = read("LICENSE");
const packages = readdirSync(join(root, "packages"));
const { version } = JSON.parse(read("packages/core/package.json"));
const problems = [];

for (const name of packages) {
  const folder = `packages/${name}`;
  const manifest = JSON.parse(read(`${folder}/package.json`));
  const expect = (field, wanted, found) => {
    if (!isDeepStrictEqual(wanted, found))
      problems.push(`${folder}: expected ${field} to be ${JSON.stringify(wanted)}, got ${JSON.stringify(found)}`);
  };
  expect("name", `@starcast/${name}`, manifest.name);
  expect("version", version, manifest.version);
  expect("license", "MIT", manifest.license);
  expect("type", "module", manifest.type);
  expect("sideEffects", false, manifest.sideEffects);
  expect("engines", { node: ">=20.19" }, manifest.engines);
  expect(
    "files",
    true,
    ["dist", "src"].every((file) => manifest.files?.includes(file)),
  );
  expect("the first condition of each export", [], sourceless(manifest.exports));
  expect("publishConfig.exports", withoutSource(manifest.exports), manifest.publishConfig?.exports);
  if (!existsSync(join(root, folder, "LICENSE")) || read(`${folder}/LICENSE`) !== license)
    problems.push(`${folder}: LICENSE is not the root's`);
  for (const [dependency, range] of Object.entries(manifest.dependencies ?? {})) {
    if (dependency.startsWith("@starcast/")) expect(dependency, "workspace:^", range);
  }
}

// Tests and types run from source by this condition; users must never get it.
function sourceless(exports) {
  return Object.entries(exports)
    .filter(([, target]) => typeof target === "object" && Object.keys(target)[0] !== "@starcast/source")
    .map(([door]) => door);
}

function withoutSource(exports) {
  return JSON.parse(JSON.stringify(exports, (key, value) => (key === "@starcast/source" ? undefined : value)));
}

const { fixed } = JSON.parse(read(".changeset/config.json"));
if (!isDeepStrictEqual(fixed, [["@starcast/*"]]))
  problems.push(".changeset/config.json: all packages share one version");

console.log(problems.join("\n") || `manifests ok: ${packages.length} packages`);
process.exitCode = problems.length === 0 ? 0 : 1;
