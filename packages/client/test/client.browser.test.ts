import { describe, expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import type { House, HouseOptions } from "./house.ts";
import { drawn, inChromium } from "./in-chromium.ts";
import { judgeHistory, type Told } from "./judge-history.ts";
import { FollowingPage, houseWith } from "./pages.ts";

const hurried = { pace: 100 };

describeWith("chromium", "a client in a page of Chromium", (executablePath) => {
  const { context, script } = inChromium(executablePath);

  it("comes back as soon as the network does", async () => {
    const house = await houseWith(script());
    const page = await FollowingPage.open(context(), house, { transport: "sse" });
    await page.untilKind("live");
    await drawn(house, page, 1, 5);
    await context().setOffline(true);
    house.cut();
    await page.untilKind("waiting");
    await house.draw(6, 300);
    await page.untilKind("waiting");
    await context().setOffline(false);
    await page.untilAt(house.position);
    expect(await page.read("page.states.some(({ reason }) => reason === 'woken')")).toBe(true);
    expect(await page.expectSound()).toEqual({ events: 300, gaps: 0 });
  });

  it("goes on after a reload where it was, over the other transport", async () => {
    const house = await houseWith(script());
    const page = await FollowingPage.open(context(), house, { transport: "websocket", isSaved: true });
    await page.untilKind("live");
    await drawn(house, page, 1, 10);
    const before = await page.read<unknown[]>("page.told");
    // Hidden, it saves; nobody waits for that.
    await page.page.goto("about:blank");
    await house.draw(11, 20);
    await page.load(house.origin, { transport: "sse", isSaved: true });
    await page.untilAt(house.position);
    expect(before).toHaveLength(10);
    expect(await page.expectSound()).toEqual({ events: 10, gaps: 0 });
  });

  it("misses nothing while its page is frozen in the background", async () => {
    const house = await houseWith(script());
    const page = await FollowingPage.open(context(), house, { transport: "websocket", ...hurried });
    await page.untilKind("live");
    await drawn(house, page, 1, 5);
    await page.lookAt(false);
    const thaw = await page.freeze();
    await house.draw(6, 500);
    house.cut();
    await house.draw(501, 600);
    await thaw();
    await page.lookAt(true);
    await page.untilAt(house.position);
    expect(await page.expectSound()).toEqual({ events: 600, gaps: 0 });
  });

  it("fetches the code that reads streams where a WebSocket does not come through, and only there", async () => {
    const asked: string[] = [];
    const handle: HouseOptions["handle"] = ({ url = "" }) => {
      if (url.includes("read-answer")) asked.push(url);
      return false;
    };
    const open = await houseWith(script(), { handle });
    const page = await FollowingPage.open(context(), open, {});
    await page.untilKind("live");
    await drawn(open, page, 1, 5);
    expect(await page.expectSound()).toEqual({ events: 5, gaps: 0 });
    expect([asked, open.visits.map(({ transport }) => transport)]).toEqual([[], ["websocket"]]);

    const closed = await houseWith(script(), { handle, transports: ["sse"] });
    const other = await FollowingPage.open(context(), closed, {});
    await other.untilKind("live");
    await drawn(closed, other, 1, 5);
    expect(asked).toHaveLength(1);
    expect(await other.expectSound()).toEqual({ events: 5, gaps: 0 });
  });

  it("fetches that code again when it could not be had, and says so", async () => {
    const failing = ["cut off", "not there"];
    const house = await houseWith(script(), {
      transports: ["sse"],
      handle: ({ url = "" }, response) => {
        const failure = url.includes("read-answer") ? failing.shift() : undefined;
        if (failure === "cut off") response.destroy();
        else if (failure === "not there") response.writeHead(404).end();
        return failure !== undefined;
      },
    });
    const page = await FollowingPage.open(context(), house, hurried);
    await page.untilKind("live");
    await drawn(house, page, 1, 5);
    // A WebSocket first, each time.
    expect(await page.read("page.states.map(({ kind, transport }) => transport ?? kind).join(' ')")).toBe(
      "websocket sse waiting websocket sse waiting websocket sse sse",
    );
    expect(page.warnings).toEqual(["starcast: the reader of streams could not be loaded"]);
    expect(await page.expectSound()).toEqual({ events: 5, gaps: 0 });
  });

  describe("shared by tabs", () => {
    const shared = { tabs: true, pace: 10, areAllTimersFast: true } as const;
    const openTabs = async (house: House): Promise<FollowingPage[]> => {
      const tabs: FollowingPage[] = [];
      for (let tab = 0; tab < 3; tab += 1) {
        const page = await FollowingPage.open(context(), house, shared);
        await page.untilKind("live");
        tabs.push(page);
      }
      return tabs;
    };
    const untilAllAt = (tabs: readonly FollowingPage[], position: string): Promise<unknown> =>
      Promise.all(tabs.map((tab) => tab.untilAt(position)));

    it("is one connection, that the next tab takes over when the leading one is gone", async () => {
      const house = await houseWith(script());
      const [leading, ...others] = await openTabs(house);
      await house.draw(1, 100);
      await untilAllAt([...(leading ? [leading] : []), ...others], house.position);
      expect(house.visits).toHaveLength(1);
      await leading?.expectSound();
      const closed = leading?.page.close({ runBeforeUnload: false });
      await house.draw(101, 200);
      await closed;
      await house.draw(201, 300);
      await untilAllAt(others, house.position);
      for (const tab of others) expect(await tab.expectSound()).toEqual({ events: 300, gaps: 0 });
      expect(house.visits.length).toBeLessThanOrEqual(3);
    });

    it("is given on by a tab whose loop is slow, which holds up nobody else", async () => {
      const house = await houseWith(script());
      const slow = await FollowingPage.open(context(), house, { ...shared, loop: true, maxBufferedEvents: 10 });
      await slow.untilKind("live");
      const other = await FollowingPage.open(context(), house, shared);
      await other.untilKind("live");
      await house.draw(1, 100);
      await other.untilAt(house.position);
      expect(await other.expectSound()).toEqual({ events: 100, gaps: 0 });
      await slow.untilKind("waiting");
      expect((await slow.expectSound()).events).toBeLessThan(100);
      const taken = await slow.read<readonly Told[]>("page.take(100)");
      expect(judgeHistory(taken)).toEqual([]);
      expect(taken).toHaveLength(100);
      expect(await slow.expectSound()).toEqual({ events: 100, gaps: 0 });
    });

    it("is taken over from a tab that is frozen, which misses nothing either", async () => {
      const house = await houseWith(script());
      const tabs = await openTabs(house);
      await house.draw(1, 50);
      await untilAllAt(tabs, house.position);
      const [leading, ...others] = tabs;
      if (leading === undefined) throw new Error("Expected three tabs");
      const thaw = await leading.freeze();
      await house.draw(51, 150);
      await untilAllAt(others, house.position);
      expect(house.visits.length).toBeGreaterThan(1);
      await thaw();
      await untilAllAt(tabs, house.position);
      await house.draw(151, 200);
      await untilAllAt(tabs, house.position);
      for (const tab of tabs) expect(await tab.expectSound()).toEqual({ events: 200, gaps: 0 });
    });
  });
});
