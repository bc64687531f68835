import { defineConfig } from "vitest/config";

// Tests run from source: the first condition of every package's exports leads to src, so no build is needed.
const conditions = ["@starcast/source"];
const fromSource = {
  resolve: { conditions },
  ssr: {
    // These reach the workers as `--conditions`, for `require` too: "import" or "module" among them would hand CommonJS
    // packages (Express and its middlewares) the ES modules of their dependencies.
    resolve: { conditions: [...conditions, "node"], externalConditions: conditions },
  },
};

const slow = ["**/*.slow.test.ts", "**/*.fuzz.ts"];
const browser = ["**/*.browser.test.ts"];
const never = ["**/node_modules/**", "**/dist/**"];

export default defineConfig({
  test: {
    reporters: ["default", "./scripts/closing-line-reporter.mjs"],
    projects: [
      {
        ...fromSource,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.ts", "scripts/**/*.test.mjs"],
          exclude: [...never, ...slow, ...browser],
        },
      },
      {
        ...fromSource,
        test: {
          name: "integration",
          include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "tests/**/*.test.ts"],
          exclude: [...never, ...slow, ...browser],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        ...fromSource,
        test: {
          name: "browser",
          include: browser,
          exclude: never,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          fileParallelism: false,
        },
      },
      {
        ...fromSource,
        test: {
          name: "slow",
          include: slow,
          exclude: never,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
