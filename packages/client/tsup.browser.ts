import { defineConfig } from "tsup";

/** `browser.js` for pages without a bundler: everything in one file, over what the build of all packages made of it. */
export default defineConfig({
  entry: { browser: "src/browser.ts" },
  format: "esm",
  target: "es2022",
  platform: "neutral",
  ...{ minify: true, splitting: false, sourcemap: true, clean: false, dts: false },
});
