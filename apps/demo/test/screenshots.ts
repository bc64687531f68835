// Pictures of the page in docs/, light, dark and narrow: `npm run screenshots` here. Needs chromium.
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { Page } from "playwright-core";
import { startDemo } from "./demo-process.ts";

const docs = fileURLToPath(new URL("../../../docs/", import.meta.url));

interface Shot {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly colorScheme: "light" | "dark";
  /** Into which state the page is brought first. */
  readonly before?: (page: Page) => Promise<void>;
}

const shots: readonly Shot[] = [
  { name: "demo-light", width: 1_280, height: 1_560, colorScheme: "light" },
  { name: "demo-narrow", width: 390, height: 1_500, colorScheme: "light" },
  { name: "demo-dark", width: 1_280, height: 1_150, colorScheme: "dark", before: breakTwo },
];

/** Long enough for the small charts to show something, and nothing of the first thousand changes. */
const watchedMs = 33_000;

const demo = startDemo([]);
const [, origin = ""] = await demo.wrote(/Starcast is at (http:\/\/127\.0\.0\.1:\d+)\//);
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
for (const { name, width, height, colorScheme, before } of shots) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  await page.goto(origin);
  await page.locator(".model-row[data-change]").first().waitFor();
  await page.waitForTimeout(watchedMs);
  await untilCalm(page);
  await before?.(page);
  await page.screenshot({ path: `${docs}${name}.png` });
  await page.close();
}
await browser.close();
demo.kill("SIGINT");
await demo.ended;

/** Every transport is as fast as it is on a machine that does nothing else: no latency is told in seconds. */
async function untilCalm(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      [...document.querySelectorAll(".lane-numbers div:last-child dd")].every((dd) => !/\d s\b/.test(dd.textContent)),
    null,
    { timeout: 120_000 },
  );
}

async function breakTwo(page: Page): Promise<void> {
  await page.locator("[data-break=cut] button").click();
  await page.locator("[data-break=burst] button").click();
  await page.locator(".lane[data-state=cut] .waiting").waitFor();
  await page.waitForTimeout(1_500);
}
