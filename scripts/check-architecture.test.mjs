import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("check-architecture.mjs", import.meta.url));
const houses = [];
afterEach(() => houses.splice(0).forEach((house) => rmSync(house, { recursive: true })));

/** A house of these files (path under packages/ -> text), and what the script says of it. */
function judge(files) {
  const house = mkdtempSync(join(tmpdir(), "starcast-house-"));
  houses.push(house);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(house, "packages", dirname(path)), { recursive: true });
    writeFileSync(join(house, "packages", path), text);
  }
  const { status, stderr } = spawnSync(process.execPath, [script, house], { encoding: "utf8" });
  return { status, problems: stderr.trim().split("\n").filter(Boolean) };
}

const importing = (specifier) => `import { x } from "${specifier}";\nexport { x };\n`;

describe("the architecture script", () => {
  it.each([
    ["a sibling", { "sse/src/a.ts": importing("@starcast/websocket") }, "sse must not import websocket"],
    ["a package above", { "core/src/a.ts": importing("@starcast/sse") }, "core must not import sse"],
    [
      "a built-in module in core",
      { "core/src/a.ts": importing("node:fs") },
      "core runs everywhere and imports nothing, not even node:fs",
    ],
    [
      "the gateways' door from elsewhere",
      { "mqtt/src/a.ts": importing("@starcast/core/gateway") },
      "only websocket, sse, webhook may import core/gateway",
    ],
    [
      "a file outside its package",
      { "sse/src/a.ts": importing("../../core/src/b.ts") },
      "reaches outside its package (../../core/src/b.ts)",
    ],
    [
      "a floor above, in core",
      { "core/src/event/a.ts": importing("../pump/b.ts") },
      "event/ must not stand on pump/ (../pump/b.ts)",
    ],
    ["anything but wire from wire", { "core/src/wire/a.ts": importing("../errors.ts") }, "wire/ stands alone"],
  ])("refuses to import %s", (_, files, problem) => {
    const { status, problems } = judge(files);
    expect(status).toBe(1);
    expect(problems).toEqual([`packages/${Object.keys(files)[0]}: ${problem}`]);
  });

  it.each([
    ["a drawer", "core/src/utils.ts", "export const x = 1;\n", "name the idea, not the drawer"],
    ["a name that is not kebab-case", "core/src/someThing.ts", "export const x = 1;\n", "file names are kebab-case"],
    ["a default export", "core/src/a.ts", "export default 1;\n", "use a named export"],
    ["an index with code", "core/src/index.ts", "export const x = 1;\n", "index.ts only lists exports"],
    ["more than 300 lines", "core/src/a.ts", "\n".repeat(300), "301 lines; more than 300 is more than one idea"],
  ])("refuses %s", (_, file, text, problem) => {
    expect(judge({ [file]: text }).problems).toEqual([`packages/${file}: ${problem}`]);
  });

  it("refuses an import cycle and a package without a layer", () => {
    const cycle = { "core/src/a.ts": importing("./b.ts"), "core/src/b.ts": importing("./a.ts") };
    expect(judge(cycle).problems).toEqual([expect.stringMatching(/^import cycle: .*a\.ts -> .*b\.ts -> .*a\.ts$/)]);
    expect(judge({ "novel/src/a.ts": "" }).problems).toEqual([
      "packages/novel: has no layer in scripts/check-architecture.mjs",
    ]);
  });

  it("is content with types of a higher floor, lower packages and its own files", () => {
    const files = {
      "core/src/event/a.ts": 'import type { X } from "../pump/b.ts";\nexport type { X };\n',
      "sse/src/a.ts": importing("@starcast/core/gateway") + importing("./b.ts"),
      "webhook/src/a.ts": importing("@starcast/standard-webhooks"),
    };
    expect(judge(files)).toEqual({ status: 0, problems: [] });
  });
});
