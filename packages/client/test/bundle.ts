import { createRequire } from "node:module";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

// The bundler comes with tsup, which builds the packages.
const fromRoot = createRequire(new URL("../../../package.json", import.meta.url));
const bundler = createRequire(fromRoot.resolve("tsup"))("esbuild") as {
  buildSync(options: Readonly<Record<string, unknown>>): {
    readonly outputFiles: readonly { readonly path: string; readonly text: string }[];
  };
};

/** Files by name: what is loaded at once, `NAME.js`, and what that loads later. */
export type Program = ReadonlyMap<string, string>;

/** One of the programs in `page/`, from source, as a bundler gives it to a page. */
export function bundle(name: string): Program {
  const { outputFiles } = bundler.buildSync({
    entryPoints: [fileURLToPath(new URL(`page/${name}.ts`, import.meta.url))],
    outdir: "nowhere",
    conditions: ["@starcast/source"],
    external: ["node:*"],
    define: { "process.env.NODE_ENV": '"development"' },
    ...{ bundle: true, splitting: true, write: false, format: "esm", platform: "browser", target: "es2022" },
  });
  return new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
}
