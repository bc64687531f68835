import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

// The bundler comes with tsup, which builds the packages.
const fromRoot = createRequire(new URL("../../../package.json", import.meta.url));
const bundler = createRequire(fromRoot.resolve("tsup"))("esbuild") as {
  buildSync(options: Readonly<Record<string, unknown>>): { readonly outputFiles: readonly { readonly text: string }[] };
};

/** One of the programs in `page/`, in one file, from source. */
export function bundle(name: string): string {
  const { outputFiles } = bundler.buildSync({
    entryPoints: [fileURLToPath(new URL(`page/${name}.ts`, import.meta.url))],
    conditions: ["@starcast/source"],
    external: ["node:*"],
    define: { "process.env.NODE_ENV": '"development"' },
    ...{ bundle: true, write: false, format: "esm", platform: "browser", target: "es2022" },
  });
  return outputFiles[0]?.text ?? "";
}
