import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import type { Report } from "../src/status/report.ts";
import { startDemo } from "./demo-process.ts";
import type { DemoProcess } from "./demo-process.ts";
import { seriousFaults } from "./serious-faults.ts";

const transports = ["websocket", "sse", "mqtt", "webhooks"] as const;
type Transport = (typeof transports)[number];

describeWith("chromium", "the page of the demo", (executablePath) => {
  let demo: DemoProcess;
  let browser: Browser;
  let page: Page;
  let origin = "";
  const troubles: string[] = [];

  beforeAll(async () => {
    demo = startDemo([]);
    [, origin = ""] = await demo.wrote(/Starcast is at (http:\/\/127\.0\.0\.1:\d+)\//);
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    page = await browser.newPage({ viewport: { width: 1_280, height: 900 } });
    page.on("pageerror", ({ message }) => troubles.push(message));
    page.on("console", (message) => void (message.type() === "error" && troubles.push(message.text())));
    page.on("request", (request) => void (/^(?:http|ws):\/\/127/.test(request.url()) || troubles.push(request.url())));
    await page.goto(origin);
    await untilDelivered(4 * 900);
  });

  afterAll(async () => {
    await browser?.close();
    demo?.kill("SIGINT");
    await demo?.ended;
  });

  const numberIn = async (where: Locator): Promise<number> =>
    Number((await where.textContent())?.replaceAll(/[^\d]/g, ""));
  const book = (name: string): Promise<number> => numberIn(page.locator(`.books [data-number=${name}]`));
  const push = (id: string): Promise<void> => page.locator(`[data-break=${id}] button`).click();
  const until = (transport: Transport, ...states: readonly string[]): Promise<void> =>
    page.locator(states.map((state) => `.lane[data-transport=${transport}][data-state=${state}]`).join(", ")).waitFor();
  const untilNumber = (selector: string, least: number): Promise<unknown> =>
    page.waitForFunction(
      ([where, wanted]) => {
        const text = document.querySelector(String(where))?.textContent ?? "";
        return Number(text.replaceAll(/[^\d]/g, "")) >= Number(wanted);
      },
      [selector, least],
    );
  const untilDelivered = (least: number): Promise<unknown> => untilNumber(".books [data-number=delivered]", least);
  const lag = (transport: Transport): string => `.lane[data-transport=${transport}] [data-number=lag]`;
  const publish = async (name: string, price: string): Promise<void> => {
    const form = page.getByRole("form", { name: /Publish a model/ });
    await form.getByLabel("Publish one").fill(name);
    await form.getByLabel("per million").fill(price);
    await form.getByRole("button", { name: "Publish" }).click();
  };
  const row = (key: string): Locator => page.locator(`.model-row[data-key="${key}"]`);

  it("shows the way of every event, and asks nobody else for anything", async () => {
    for (const transport of transports) await until(transport, "live");
    expect(await numberIn(page.locator("[data-number=head]"))).toBeGreaterThan(900);
    expect(await book("lost")).toBe(0);
    expect(troubles).toEqual([]);
  });

  it("has every model, and shows the old and the new price of what changes", async () => {
    await page.getByLabel("Search").fill("your-models");
    await publish("My Model", "4");
    await row("your-models/my-model").waitFor();
    await publish("My Model", "2.5");
    const changed = row("your-models/my-model").locator(".moved.down");
    await changed.waitFor();
    expect(await changed.textContent()).toBe("$4.00↓$2.50");
    await page.getByLabel("Search").fill("");
    expect(await numberIn(page.locator(".filter-note"))).toBeGreaterThan(1_000);
    expect(await page.locator(".table-body .model-row").count()).toBeLessThan(40);
  });

  it("lets the server filter by provider", async () => {
    const asked = page.waitForEvent("websocket");
    await page.getByLabel("Provider").selectOption("your-models");
    expect(new URL((await asked).url()).searchParams.get("subjects")).toBe("your-models/*");
    await page.getByText("The server sends this page only your-models").waitFor();
    await row("your-models/my-model").waitFor();
    expect(await page.locator(".table-body .model-row").count()).toBe(1);
    await page.getByLabel("Provider").selectOption("");
    await untilNumber(".filter-note", 1_000);
  });

  it("shows whatever is in an event as text", async () => {
    const nasty = `<script>document.title=1</script><img src=x onerror="document.title=2">`;
    await publish(nasty, "1");
    await page.locator(".model-row b", { hasText: "<script>" }).first().waitFor();
    expect(await page.locator(".model-row script, .model-row img").count()).toBe(0);
    expect(await page.title()).toContain("Starcast");
  });

  it("marks what changed by a line alone for who wants nothing to move", async () => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.getByLabel("Search").fill("your-models");
    await publish("At rest", "1");
    const flash = row("your-models/at-rest").locator(".flash.added");
    await flash.waitFor();
    const look = await flash.evaluate((mark) => {
      const { backgroundColor, animationName } = getComputedStyle(mark);
      return { backgroundColor, animationName };
    });
    expect(look).toEqual({ backgroundColor: "rgba(0, 0, 0, 0)", animationName: "none" });
    await page.getByLabel("Search").fill("");
    await page.emulateMedia({ reducedMotion: null });
  });

  it("cuts and stalls receivers, and loses nothing", async () => {
    await push("cut");
    await push("stall");
    await until("websocket", "cut");
    await until("sse", "stalled");
    await untilNumber(lag("websocket"), 2);
    await untilNumber(lag("sse"), 2);
    await push("cut");
    await push("stall");
    for (const transport of ["websocket", "sse"] as const) {
      await until(transport, "live");
      await page.locator(lag(transport), { hasText: /^0$/ }).waitFor();
    }
    expect([await book("lost"), await book("told")]).toEqual([0, 0]);
  });

  it("freezes the MQTT broker, and shows its topics and the retained mirror", async () => {
    await push("freeze");
    await until("mqtt", "frozen");
    await page.locator("#mqtt .pill", { hasText: "MQTT broker frozen" }).waitFor();
    await untilNumber(lag("mqtt"), 2);
    await push("freeze");
    await until("mqtt", "live");
    await page.locator(lag("mqtt"), { hasText: /^0$/ }).waitFor();
    await page.locator("#mqtt code", { hasText: "catalog/events/model/updated" }).waitFor();
    await untilNumber("#mqtt [data-number=retained]", 1_000);
  });

  it("shows what waits for a stopped webhook receiver, gives up, and redelivers", async () => {
    await push("stop");
    await until("webhooks", "stopped");
    await publish("My Model", "3");
    await untilNumber("[data-endpoint=partner] [data-number=pending]", 1);
    await page.locator("[data-endpoint=partner] .letters", { hasText: "tried" }).waitFor();
    await untilNumber("[data-endpoint=price-watch] [data-number=dead]", 1);
    await push("stop");
    await page.locator("[data-endpoint=partner] [data-number=pending]", { hasText: /^0$/ }).waitFor();
    await page.locator("[data-endpoint=price-watch]").getByRole("button", { name: "Redeliver" }).click();
    await page.getByText("dead letters of price-watch are sent again").waitFor();
    expect(await book("lost")).toBe(0);
  });

  it("rotates the key of an endpoint, which goes on verifying", async () => {
    const labels = page.locator("[data-endpoint=partner] .keys code");
    const before = await labels.allTextContents();
    await page.locator("[data-endpoint=partner]").getByRole("button", { name: "Rotate" }).click();
    await page.waitForFunction(() => document.querySelectorAll("[data-endpoint=partner] .keys code").length === 2);
    expect(await labels.allTextContents()).toContain(before[0]);
    const delivered = await book("delivered");
    await untilDelivered(delivered + 20);
    await until("webhooks", "live");
  });

  it("lists connections, and resumes this page's own when it is cut", async () => {
    await page.locator("[data-connection=sse]").waitFor();
    const resumed = await numberIn(page.locator("#connections [data-number=resumed]"));
    await page.getByRole("button", { name: "Cut this page's own socket" }).click();
    await untilNumber("#connections [data-number=resumed]", resumed + 1);
    await page.locator(".top-state[data-state=live]").waitFor();
    expect(await numberIn(page.locator("#connections [data-number=own-gaps]"))).toBe(0);
  });

  it("says who is slow, and by how much", async () => {
    const other = await browser.newPage();
    // As it is told of a client whose network is too slow; here there is none.
    await other.route("**/status", async (route) => {
      const report = await reportAt(origin);
      const [first, ...open] = report.connections.open;
      const slow = { ...first, receiver: null, lagEvents: 12_345, unsentBytes: 65_536 };
      const told = { ...report, connections: { ...report.connections, open: [slow, ...open] } };
      await route.fulfill({ contentType: "text/event-stream", body: `data: ${JSON.stringify(told)}\n\n` });
    });
    await other.goto(origin);
    const row = other.locator("[data-connection]").first();
    await row.getByText("12,345 events behind, 66 kB unsent").waitFor();
    await row.locator(".pill", { hasText: "Slow" }).waitFor();
    await other.close();
  });

  it("fits a window of any width, also while a model with a long name waits to be tried again", async () => {
    await push("stop");
    const subject = page.locator("[data-endpoint=partner] .letters .subject").first();
    await subject.waitFor();
    const widths = [360, 800, 2_400];
    const found: number[] = [];
    for (const width of widths) {
      await page.setViewportSize({ width, height: 900 });
      found.push(
        await subject.evaluate((text) => {
          text.textContent = "provider/a-name-of-eighty-characters".padEnd(80, "-");
          return document.documentElement.scrollWidth;
        }),
      );
    }
    await push("stop");
    await until("webhooks", "live");
    expect(found).toEqual(widths);
  });

  it.each(["light", "dark"] as const)("has no serious fault of accessibility in %s", async (colorScheme) => {
    await page.setViewportSize({ width: 1_280, height: 900 });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    expect(await seriousFaults(page)).toEqual([]);
  });

  it("is used with the keyboard alone", async () => {
    await page.getByRole("region", { name: "Models" }).focus();
    await page.keyboard.press("End");
    await page.waitForFunction(() => (document.querySelector(".table-box")?.scrollTop ?? 0) > 1_000);
    const theme = page.getByRole("button", { name: /^Theme/ });
    await theme.focus();
    await page.keyboard.press("Enter");
    await page.locator(`html[data-theme=light]`).waitFor();
    expect(troubles).toEqual([]);
  });
});

/** What the demo says of itself, once. */
async function reportAt(origin: string): Promise<Report> {
  const answer = await fetch(`${origin}/status`);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/^data: .*\n/m.test(text)) text += (await reader?.read())?.value ?? "";
  await reader?.cancel();
  return JSON.parse(/^data: (.*)/m.exec(text)?.[1] ?? "") as Report;
}

describeWith("chromium", "the page of a durable demo whose process is killed", (executablePath) => {
  const folder = mkdtempSync(join(tmpdir(), "starcast-demo-page-"));
  let demo: DemoProcess;
  let browser: Browser;

  afterAll(async () => {
    await browser?.close();
    demo?.kill("SIGINT");
    await demo?.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  it("goes on in the middle of the first thousand changes, and has lost nothing", async () => {
    demo = startDemo(["--durable", folder, "--port", "0"]);
    const [, origin = ""] = await demo.wrote(/Starcast is at (http:\/\/127\.0\.0\.1:\d+)\//);
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    const page = await browser.newPage();
    await page.goto(origin);
    await page.locator("[data-break=restart] button:enabled").waitFor();
    await page.locator("[data-break=restart] button").click();
    await demo.wrote(/Starcast is at [^]*Starcast is at /);
    await page.locator(".top-state[data-state=live]").waitFor();
    // Every receiver is back at the head of a log that has all of it.
    await page.waitForFunction(() => {
      const numbers = (selector: string): readonly number[] =>
        [...document.querySelectorAll(selector)].map(({ textContent }) => Number(textContent?.replaceAll(",", "")));
      const lags = numbers(".lane [data-number=lag]");
      return numbers("[data-number=head]")[0]! > 900 && lags.length === 4 && lags.every((lag) => lag < 20);
    });
    for (const name of ["lost", "told"])
      expect(await page.locator(`.books [data-number=${name}]`).textContent(), name).toBe("0");
    expect(await page.locator("#connections [data-number=own-gaps]").textContent()).toBe("0");
  });
});
