import { describe, expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { BackgroundPage } from "./background-page.ts";
import { drawn, inChromium } from "./in-chromium.ts";
import { FollowingPage, houseWith } from "./pages.ts";

const hurried = { pace: 100 };

describeWith("chromium", "a client in a page of Chromium, over and over", (executablePath) => {
  const { browser, context, script } = inChromium(executablePath);

  it("misses nothing while its tab is frozen in the background for longer than a silent server is waited for", async () => {
    const heartbeatMs = 1_000;
    const follow = async (transport: "websocket" | "sse"): Promise<void> => {
      const gateways = { heartbeatMs, ...(transport === "websocket" && { pongTimeoutMs: 900 }) };
      const house = await houseWith(script(), { gateways, transports: [transport] });
      const page = await BackgroundPage.open(browser(), house, { transport });
      await house.draw(1, 5);
      await page.until("page.told.length === 5");
      await page.freeze();
      await house.draw(6, 300);
      await page.read("page.frozenAt = performance.now()");
      await page.until(`performance.now() - page.frozenAt > ${heartbeatMs * 3}`);
      expect(await page.read("[page.told.length, page.life]")).toEqual([5, ["hidden", "freeze"]]);
      await page.thaw();
      await house.draw(301, 310);
      await page.until(`page.kind() === "live" && page.last() === "${house.position}"`);
      expect(await page.expectSound()).toEqual({ events: 310, gaps: 0 });
    };
    await Promise.all([follow("websocket"), follow("sse")]);
  });

  describe.each(["websocket", "sse"] as const)("over %s", (transport) => {
    it("misses nothing over 100 cuts under load", async () => {
      const house = await houseWith(script());
      const page = await FollowingPage.open(context(), house, { transport, pace: 1_000 });
      await page.untilKind("live");
      for (let cut = 0; cut < 100; cut += 1) {
        const published = house.draw(cut * 20 + 1, cut * 20 + 20);
        house.cut();
        await published;
        await page.untilTold(cut * 20 + 1);
      }
      await page.untilAt(house.position);
      expect(await page.expectSound()).toEqual({ events: 2_000, gaps: 0 });
      expect(house.visits.length).toBeGreaterThan(50);
    });

    it("is told exactly what a server that forgets leaves out", async () => {
      const first = await houseWith(script());
      const { port } = first;
      const page = await FollowingPage.open(context(), first, { transport, ...hurried });
      await page.untilKind("live");
      await drawn(first, page, 1, 5);
      await first.close();
      const second = await houseWith(script(), { port });
      await page.untilKind("live");
      await drawn(second, page, 6, 9);
      expect(await page.expectSound()).toMatchObject({ gaps: 1 });
    });

    it("goes on with the next token when one ends", async () => {
      const house = await houseWith(script(), {
        gateways: {
          authorize: ({ token }) => {
            const lives = { first: 1_500, second: 60_000 }[token ?? ""];
            return lives === undefined ? null : { identity: "ada", expiresAt: Date.now() + lives };
          },
          tokenGraceMs: 1_000,
        },
      });
      const page = await FollowingPage.open(context(), house, { transport, tokens: ["first", "second"], ...hurried });
      await page.untilKind("live");
      await drawn(house, page, 1, 5);
      await page.page.waitForFunction("page.tokenReasons.length === 2");
      await page.untilKind("live");
      await drawn(house, page, 6, 20);
      expect(await page.expectSound()).toEqual({ events: 20, gaps: 0 });
    });
  });
});
