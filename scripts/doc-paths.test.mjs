import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = readdirSync(join(root, "packages"));
const sources = packages.flatMap((name) =>
  readdirSync(join(root, "packages", name, "src"), { recursive: true, encoding: "utf8" }).map(
    (file) => `${name}/${file}`,
  ),
);

// `core/log/memory-log.ts` is short for packages/core/src/log/memory-log.ts; a star stands for any name.
function isThere(path) {
  const pattern = new RegExp(`^${path.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`);
  return existsSync(join(root, path)) || sources.some((source) => pattern.test(source));
}

describe.each(["docs/architecture.md", "SECURITY.md"])("%s", (document) => {
  it("names only files that are there", () => {
    const text = readFileSync(join(root, document), "utf8");
    const named = [...text.matchAll(/(?<![\w./-])((?:[a-z*][\w*-]*\/)+[\w*-]+\.ts)\b/g)].map((match) => match[1]);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((path) => !isThere(path))).toEqual([]);
  });
});
