import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

/** What a page pays at most for each door, in bytes, minified and compressed, with all that it imports. */
const budgets = { "index.ts": 8_900, "replica/index.ts": 2_200 };

interface Bundler {
  buildSync(options: Readonly<Record<string, unknown>>): {
    readonly outputFiles: readonly { readonly contents: Uint8Array }[];
  };
}

// The bundler comes with tsup, which builds the packages.
const fromRoot = createRequire(new URL("../../../package.json", import.meta.url));
const bundler = createRequire(fromRoot.resolve("tsup"))("esbuild") as Bundler;

it.each(Object.entries(budgets))("%s costs a page at most %i bytes", (entry, budget) => {
  const { outputFiles } = bundler.buildSync({
    entryPoints: [fileURLToPath(new URL(`../src/${entry}`, import.meta.url))],
    conditions: ["@starcast/source"],
    ...{ bundle: true, minify: true, write: false, format: "esm", platform: "neutral", target: "es2022" },
  });
  const [bundle] = outputFiles;
  expect(gzipSync(bundle?.contents ?? "", { level: 9 }).length).toBeLessThanOrEqual(budget);
});
