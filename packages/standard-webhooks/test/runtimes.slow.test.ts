import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const programs = {
  "obeys the vectors, and receives": "check-vectors.ts",
  "receives over real sockets, in its own server and in node:http": "check-servers.ts",
};

/** npm carries each: how it runs a program of TypeScript, from the sources of the package. */
const runtimes = [
  { name: "Bun", npm: "bun@1.4.5", command: ["bun"] },
  {
    name: "Deno",
    npm: "deno@2.9.6",
    command: [
      "deno",
      "run",
      "--allow-read",
      "--allow-env",
      "--allow-net=127.0.0.1",
      "--no-lock",
      "--no-check",
      "--node-modules-dir=manual",
    ],
  },
] as const;

describe.each(runtimes)("the package in $name", ({ npm, command }) => {
  const npx = (args: readonly string[]): Promise<string> =>
    run("npx", ["--yes", "--prefer-offline", "--loglevel=error", "-p", npm, "--", ...args], {
      env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
      timeout: 110_000,
    }).then(({ stdout }) => stdout);

  it.for(Object.entries(programs))("%s", { timeout: 240_000 }, async ([, file], { skip }) => {
    const program = fileURLToPath(new URL(file, import.meta.url));
    // Not there and not to be had: skipped, unless everything is asked for.
    const isThere = await npx([command[0], "--version"]).then(
      () => true,
      (error: unknown) => {
        if (process.env["STARCAST_REQUIRE_SERVICES"] === "1") throw error;
        return false;
      },
    );
    skip(!isThere, `needs ${npm}`);
    expect(await npx([...command, "--conditions=@starcast/source", program])).toMatch(/^\d{2,3} checks passed\n$/);
  });
});
