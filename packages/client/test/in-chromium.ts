import { chromium, type Browser, type BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { bundle, type Program } from "./bundle.ts";
import type { House } from "./house.ts";
import type { FollowingPage } from "./pages.ts";

/** A browser for the tests of a `describe`, each with a context of its own, and the program that their pages run. */
export function inChromium(executablePath: string): {
  browser(): Browser;
  context(): BrowserContext;
  script(): Program;
} {
  let browser: Browser;
  let context: BrowserContext;
  let script: Program;
  beforeAll(async () => {
    script = bundle("page");
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  beforeEach(async () => {
    context = await browser.newContext();
  });
  afterEach(() => context.close());
  afterAll(() => browser?.close());
  return { browser: () => browser, context: () => context, script: () => script };
}

/** What is published once the page is live, over whatever happens to it, it was told. */
export async function drawn(house: House, page: FollowingPage, from: number, to: number): Promise<void> {
  await house.draw(from, to);
  await page.untilAt(house.position);
}
