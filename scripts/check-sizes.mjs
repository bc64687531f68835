// `npm run check -- sizes`: what each door of the client costs a page, with all that it imports, minified and compressed.
import { createRequire } from "node:module";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

/** Bytes, by source; a door that outgrows its budget either sheds something or says here why it may. */
const budgets = {
  "packages/client/src/index.ts": 6_000,
  // Fetched when the first event stream, or an answer that is none, comes: where WebSockets do not come through.
  "packages/client/src/read-answer.ts": 1_100,
  "packages/client/src/replica/index.ts": 2_100,
  // With all of the client, of which it is another way in.
  "packages/client/src/tabs/index.ts": 7_000,
  "packages/client/src/react/index.ts": 300,
  // One file, with everything in it.
  "packages/client/src/browser.ts": 9_200,
};

const root = fileURLToPath(new URL("..", import.meta.url));
const fromRoot = createRequire(new URL("../package.json", import.meta.url));
// The bundler comes with tsup, which builds the packages.
const bundler = createRequire(fromRoot.resolve("tsup"))("esbuild");

/** Bytes of the entry with what it imports at once, and of each module that it imports later, by source. */
function sizesOf(entry) {
  const { outputFiles, metafile } = bundler.buildSync({
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: "dist",
    conditions: ["@starcast/source"],
    external: ["react"],
    splitting: !entry.endsWith("/browser.ts"),
    ...{ bundle: true, minify: true, write: false, metafile: true },
    ...{ format: "esm", platform: "neutral", target: "es2022" },
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [relative(root, path), contents]));
  const costOf = (path) => {
    const imports = metafile.outputs[path].imports.filter(
      ({ kind, external }) => kind === "import-statement" && !external,
    );
    return imports.reduce((cost, each) => cost + costOf(each.path), gzipSync(files.get(path), { level: 9 }).length);
  };
  const doors = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint !== undefined);
  return doors.map(([path, { entryPoint }]) => [entryPoint, costOf(path)]);
}

const sizes = new Map(Object.keys(budgets).flatMap(sizesOf));
for (const [source, size] of sizes) {
  const budget = budgets[source] ?? 0;
  console.log(`${String(size).padStart(6)} of ${budget} bytes ${source}`);
  if (size <= budget) continue;
  console.error(`Expected ${source} to cost at most ${budget} bytes, minified and compressed; it costs ${size}`);
  process.exitCode = 1;
}
