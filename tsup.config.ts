import { readFileSync } from "node:fs";
import { defineConfig } from "tsup";

/** Every package is built alike: what its package.json exports as source is what gets an output of the same name. */
const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
  exports: Record<string, Record<string, string>>;
};
const sources = Object.values(exports).flatMap((conditions) => conditions["@starcast/source"] ?? []);

export default defineConfig({
  entry: Object.fromEntries(sources.map((source) => [source.replace(/^\.\/src\/|\.ts$/g, ""), source])),
  format: "esm",
  target: "node20",
  // Sources may use only what every runtime has; the bundler must not add a Node flavour to core.
  platform: "neutral",
  // Built-in modules keep their prefix: not every runtime knows them without, and some have no other name.
  removeNodeProtocol: false,
  esbuildOptions(options) {
    options.external = [...(options.external ?? []), "node:*"];
  },
  sourcemap: true,
  clean: true,
  dts: {
    // Types of ours name `Symbol.asyncDispose`, which a project that compiles for browsers does not know by itself.
    banner: '/// <reference lib="esnext.disposable" />',
    // tsup passes `baseUrl` to TypeScript, which version 6 calls deprecated.
    compilerOptions: { ignoreDeprecations: "6.0", customConditions: [] },
  },
});
