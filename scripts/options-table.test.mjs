import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("options-table.mjs", import.meta.url));
const house = mkdtempSync(join(tmpdir(), "starcast-options-"));
const readme = join(house, "packages/sse/README.md");
mkdirSync(join(house, "packages/sse/src"), { recursive: true });
afterAll(() => rmSync(house, { recursive: true }));

const run = (mode) => spawnSync(process.execPath, [script, mode, house], { encoding: "utf8" });

describe("the option tables of READMEs", () => {
  it("are written from doc comments, inherited options first, and then found up to date", () => {
    const source = `export interface DoorOptions {
  /** Judges who comes in. */
  readonly authorize: Authorize;
}

export interface SseOptions extends DoorOptions {
  /** Silence | pause between
   *  heartbeats. @default 15_000 */
  readonly heartbeatMs?: number | undefined;
}
`;
    writeFileSync(join(house, "packages/sse/src/options.ts"), source);
    writeFileSync(readme, "# sse\n\n<!-- options SseOptions -->\n<!-- end -->\n\nMore.\n");
    expect(run("--check")).toMatchObject({ status: 1, stderr: expect.stringContaining("run npm run options") });
    expect(run("--write").status).toBe(0);
    const written = readFileSync(readme, "utf8");
    expect(written).toContain(
      "| `authorize` | required | Judges who comes in. |\n| `heartbeatMs` | `15_000` | Silence \\| pause between heartbeats. |\n",
    );
    expect(written.endsWith("<!-- end -->\n\nMore.\n")).toBe(true);
    expect(run("--check").status).toBe(0);
  });

  it("must name an interface that is there", () => {
    writeFileSync(readme, "<!-- options NoSuchOptions -->\n<!-- end -->\n");
    expect(run("--check")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("Expected an interface NoSuchOptions"),
    });
  });
});
