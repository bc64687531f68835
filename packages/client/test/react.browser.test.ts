import { chromium, type Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { bundle } from "./bundle.ts";
import { houseWith } from "./pages.ts";

describeWith("chromium", "the hooks in React 19", (executablePath) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  afterAll(() => browser?.close());

  it("render what comes, each event once, and stop when their component goes", async () => {
    const house = await houseWith(bundle("react-page"), {
      handle: (request, response) => {
        if (request.url !== "/models") return false;
        response.end(JSON.stringify({ position: house.position, entries: [["a", { id: "a", n: 1 }]] }));
        return true;
      },
    });
    const page = await browser.newPage();
    const troubles: string[] = [];
    page.on("pageerror", ({ message }) => void troubles.push(message));
    page.on("console", (message) => void (message.type() === "error" && troubles.push(message.text())));
    const shows = (selector: string, text: string): Promise<unknown> =>
      page.waitForFunction(
        ([at, wanted]) => document.querySelector(at ?? "")?.textContent === wanted,
        [selector, text],
      );

    await page.goto(house.origin);
    await shows("#state", "live");
    await shows("#models", "a 1");
    await shows("#numbers", "drawn ");
    await house.draw(1, 1);
    await house.draw(2, 2);
    await shows("#numbers", "drawn 1 2");
    await house.broker.publish("model.set", { model: { id: "a", n: 2 } });
    await house.broker.publish("model.set", { model: { id: "b", n: 1 } });
    await shows("#models", "a 2b 1");
    await house.broker.publish("model.set", { model: { id: "c", n: 1 } });
    await shows("#models", "a 2b 1c 1");
    expect(await page.locator("#numbers").count()).toBe(0);
    await house.draw(3, 3);
    await house.broker.publish("model.deleted", { id: "c" });
    await shows("#models", "a 2b 1");
    await shows("#numbers", "drawn ");
    await house.draw(4, 4);
    await shows("#numbers", "drawn 4");
    expect(troubles.filter((text) => !text.includes("favicon"))).toEqual([]);
  });
});
