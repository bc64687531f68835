// `npm run check -- sizes`: what each door of the client costs a page, with all that it imports, minified and compressed.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

/** Bytes, by source; a door that outgrows its budget either sheds something or says here why it may. */
const budgets = {
  // Of these, about 1,000 are the way over SSE, which a page needs when it is least able to fetch more code.
  "packages/client/src/index.ts": 7_000,
  "packages/client/src/replica/index.ts": 2_100,
  // With all of the client, of which it is another way in.
  "packages/client/src/tabs/index.ts": 8_100,
  "packages/client/src/react/index.ts": 300,
  "packages/client/src/browser.ts": 9_600,
};

const root = fileURLToPath(new URL("..", import.meta.url));
const fromRoot = createRequire(new URL("../package.json", import.meta.url));
// The bundler comes with tsup, which builds the packages.
const bundler = createRequire(fromRoot.resolve("tsup"))("esbuild");

for (const [entry, budget] of Object.entries(budgets)) {
  const { outputFiles } = bundler.buildSync({
    absWorkingDir: root,
    entryPoints: [entry],
    conditions: ["@starcast/source"],
    external: ["react"],
    ...{ bundle: true, minify: true, write: false, format: "esm", platform: "neutral", target: "es2022" },
  });
  const size = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  console.log(`${String(size).padStart(6)} of ${budget} bytes ${entry}`);
  if (size <= budget) continue;
  console.error(`Expected ${entry} to cost at most ${budget} bytes, minified and compressed; it costs ${size}`);
  process.exitCode = 1;
}
