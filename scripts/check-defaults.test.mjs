import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("check-defaults.mjs", import.meta.url));

/** What the script says of an options.ts with this option and this code below it. */
function judge(option, code) {
  const house = mkdtempSync(join(tmpdir(), "starcast-defaults-"));
  const src = join(house, "packages/sse/src");
  mkdirSync(src, { recursive: true });
  writeFileSync(join(src, "options.ts"), `export interface SseOptions {\n${option}\n}\n\n${code}\n`);
  const { status, stdout } = spawnSync(process.execPath, [script, house], { encoding: "utf8" });
  rmSync(house, { recursive: true });
  return { status, said: stdout.trim() };
}

describe("the defaults script", () => {
  it.each([
    [
      "a literal",
      "  /** Why. @default 25_000 */\n  readonly pingMs?: number;",
      "const defaults = {\n  pingMs: 25_000,\n};",
    ],
    [
      "another spelling of the number",
      "  /** Why. @default 86_400_000 */\n  readonly ageMs?: number;",
      "const defaults = { ageMs: 24 * 60 * 60 * 1000 };",
    ],
    [
      "a constant",
      "  /** Why. @default 5 */\n  readonly tries?: number;",
      "const maxTries = 5;\nconst { tries = maxTries } = options;",
    ],
    [
      "a group",
      "  /** Why. @default { a: 1, b: true } */\n  readonly group?: object;",
      "const defaults = { group: { a: 1, b: true } };",
    ],
    ["words", "  /** Why. @default the same host */\n  readonly origins?: string[];", ""],
  ])("believes a default that is %s", (_, option, code) => {
    expect(judge(option, code)).toEqual({ status: 0, said: "defaults ok: 1 options" });
  });

  it("refuses another value than the code has", () => {
    const { status, said } = judge(
      "  /** Why. @default 25_000 */\n  readonly pingMs?: number;",
      "const defaults = { pingMs: 30_000 };",
    );
    expect(status).toBe(1);
    expect(said).toContain(
      "SseOptions.pingMs documents pingMs as 25000, the code says: const defaults = { pingMs: 30000 };",
    );
  });

  it("refuses an option without a default", () => {
    expect(judge("  /** Why. */\n  readonly pingMs?: number;", "").said).toContain("SseOptions.pingMs has no @default");
  });
});
