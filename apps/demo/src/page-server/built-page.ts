import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const dist = join(root, "apps/demo/dist");

/** What the page is made of: another byte in any of these is another page. */
const ingredients = [
  "apps/demo/src/page",
  "apps/demo/src/page-server/built-page.ts",
  "apps/demo/src/status/report.ts",
  "apps/demo/src/cluster/node-report.ts",
  "apps/demo/package.json",
  "packages/client/src",
  "packages/core/src/wire",
];

/** The folder with the built page; builds it when there is none of these sources. Two processes may do so at once. */
export async function builtPage(): Promise<string> {
  const folder = join(dist, `page-${fingerprint()}`);
  if (existsSync(folder)) return folder;
  mkdirSync(dist, { recursive: true });
  const making = mkdtempSync(join(dist, "making-"));
  await buildInto(making);
  try {
    renameSync(making, folder);
  } catch (error) {
    // Somebody else was faster, with the same sources and so the same page.
    rmSync(making, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  forgetOthers(folder);
  return folder;
}

async function buildInto(outDir: string): Promise<void> {
  // Most starts need no builder.
  const { build } = await import("vite");
  await build({
    configFile: false,
    root: join(root, "apps/demo/src/page"),
    logLevel: "error",
    resolve: { conditions: ["@starcast/source", "module", "browser"] },
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    // Files of its own alone: a strict policy lets nothing inline in, and needs no preload script.
    build: {
      ...{ outDir, emptyOutDir: true, assetsInlineLimit: 0, modulePreload: false, target: "es2022" },
      rolldownOptions: { input: ["index.html", "cluster.html"].map((name) => join(root, "apps/demo/src/page", name)) },
    },
  });
}

/** Pages of older sources; one that is being made stays. */
function forgetOthers(folder: string): void {
  for (const name of readdirSync(dist)) {
    const path = join(dist, name);
    if (name.startsWith("page-") && path !== folder) rmSync(path, { recursive: true, force: true });
  }
}

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const ingredient of ingredients) {
    for (const file of filesOf(join(root, ingredient))) hash.update(`${file}\0`).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 16);
}

function filesOf(path: string): readonly string[] {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.includes(".test."))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch {
    // A file.
    return [path];
  }
}
