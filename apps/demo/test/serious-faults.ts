import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

/** What axe finds on a page that keeps somebody from using it. */
export async function seriousFaults(page: Page): Promise<readonly string[]> {
  // By the debugger, which the page's own policy has no say in.
  const session = await page.context().newCDPSession(page);
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await session.send("Runtime.evaluate", { expression: axe });
  const expression = `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map(({ html }) => html).join(" ")))`;
  const { result } = await session.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (!Array.isArray(result.value)) throw new Error(`Expected a list of faults, got ${JSON.stringify(result)}`);
  return result.value.map(String);
}
