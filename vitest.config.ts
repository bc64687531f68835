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

// What is waited for comes at once; a server that is started again on a busy machine takes longer than a second, the default.
const patience = { poll: { timeout: 15_000 } };

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
          expect: patience,
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
          expect: patience,
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
          expect: patience,
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
