import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { startDemo } from "./demo-process.ts";
import type { DemoProcess } from "./demo-process.ts";

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
    page = await browser.newPage();
    page.on("pageerror", ({ message }) => troubles.push(message));
    page.on("console", (message) => void (message.type() === "error" && troubles.push(message.text())));
    page.on("request", (request) => void (request.url().startsWith(origin) || troubles.push(request.url())));
    await page.goto(origin);
    await untilCaughtUp(1_000);
  });

  afterAll(async () => {
    await browser?.close();
    demo?.kill("SIGINT");
    await demo?.ended;
  });

  const number = async (transport: Transport, name: string): Promise<number> => {
    const text = await page.locator(`.column[data-transport=${transport}] [data-number=${name}]`).textContent();
    return Number(text?.replaceAll(",", ""));
  };
  const push = (transport: Transport, label: string): Promise<void> =>
    page.locator(`.column[data-transport=${transport}]`).getByRole("button", { name: label, exact: true }).click();
  const until = (transport: Transport, state: string): Promise<unknown> =>
    page.waitForFunction(
      ([key, wanted]) => document.querySelector(`.column[data-transport=${key}] .state`)?.textContent === wanted,
      [transport, state],
    );
  /** All four have received at least so many, and as many as each other. */
  const untilCaughtUp = (least: number): Promise<unknown> =>
    page.waitForFunction((wanted) => {
      const numbers = [...document.querySelectorAll("[data-number=received]")].map((each) =>
        Number(each.textContent?.replaceAll(",", "")),
      );
      return numbers.length === 4 && numbers.every((each) => each >= wanted && each === numbers[0]);
    }, least);
  const burst = async (): Promise<number> => {
    const before = await number("sse", "received");
    await page.locator("#burst:enabled").click();
    return before + 900;
  };
  const expectNothingLost = async (): Promise<void> => {
    for (const transport of transports) expect(await number(transport, "lost"), transport).toBe(0);
  };

  it("shows the same events in four columns, and asks nobody else for anything", async () => {
    for (const transport of transports) expect(await number(transport, "received"), transport).toBeGreaterThan(1_000);
    await expectNothingLost();
    expect(troubles).toEqual([]);
  });

  it("shows old and new prices of what changed", async () => {
    const changed = page
      .locator(".column[data-transport=sse] .event[data-kind=updated] .details:has(s):has(b)")
      .first();
    await changed.waitFor();
    expect(await changed.textContent()).toMatch(/\$[\d.]+ → \$[\d.]+/);
  });

  it.each(["websocket", "sse"] as const)("drops the %s connection, and resumes it without loss", async (transport) => {
    await push(transport, "Drop");
    await until(transport, "dropped");
    const wanted = await burst();
    await page.waitForFunction(
      (key) =>
        Number(
          document
            .querySelector(`.column[data-transport=${key}] [data-number=behind]`)
            ?.textContent?.replaceAll(",", ""),
        ) > 900,
      transport,
    );
    await push(transport, "Resume");
    await untilCaughtUp(wanted);
    await expectNothingLost();
    expect(await number(transport, "repeated")).toBe(0);
  });

  it.each(["websocket", "sse"] as const)("stalls the %s connection, which reads on without loss", async (transport) => {
    await until(transport, "live");
    await push(transport, "Stall");
    await until(transport, "not reading");
    const wanted = await burst();
    const stalledAt = await number(transport, "received");
    await page.waitForFunction(
      ([key]) =>
        Number(
          document
            .querySelector(`.column[data-transport=${key}] [data-number=behind]`)
            ?.textContent?.replaceAll(",", ""),
        ) > 900,
      [transport],
    );
    expect((await number(transport, "received")) - stalledAt).toBeLessThan(100);
    await push(transport, "Read on");
    await untilCaughtUp(wanted);
    await expectNothingLost();
  });

  it.each([
    ["mqtt", "the MQTT broker"],
    ["webhooks", "the endpoint"],
  ] as const)("stops %s and starts it again, and the backlog drains without loss", async (transport, what) => {
    await push(transport, `Stop ${what}`);
    await until(transport, "stopped");
    const wanted = await burst();
    await page.waitForFunction(
      (key) =>
        Number(
          document
            .querySelector(`.column[data-transport=${key}] [data-number=behind]`)
            ?.textContent?.replaceAll(",", ""),
        ) > 900,
      transport,
    );
    await push(transport, `Start ${what}`);
    await untilCaughtUp(wanted);
    await expectNothingLost();
  });

  it.each([360, 800, 1_440, 2_400])("fits a window of %i pixels", async (width) => {
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  });

  it("shows whatever is in an event as text", async () => {
    // As text: what the test runner makes of an import does not exist in the browser.
    const shown = (await page.evaluate(`(async () => {
      const { View } = await import("/view.js");
      const nasty = '<img src=x onerror="document.title=1">';
      const changes = [{ path: "/" + nasty, from: nasty, to: nasty }];
      const event = { id: "e-9", type: "model.updated", subject: nasty + "/" + nasty, data: { model: {}, previous: {}, changes } };
      const view = new View({ key: "sse", name: nasty, about: nasty, buttons: [] });
      const books = { position: nasty, offset: 9, received: 1, repeated: 0, lost: 0, told: 0, recent: [event] };
      view.draw({ books, state: "live" }, { head: 9, tail: 0 });
      const column = document.querySelector("#columns > :last-child");
      return { images: column.querySelectorAll("img").length, text: column.textContent };
    })()`)) as { readonly images: number; readonly text: string };
    expect(shown.images).toBe(0);
    expect(shown.text).toContain("<img src=x");
  });
});
