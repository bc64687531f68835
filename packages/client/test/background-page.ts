import { setTimeout } from "node:timers/promises";
import type { Browser, CDPSession } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import type { House } from "./house.ts";
import { judgeHistory, type Told } from "./judge-history.ts";
import type { PageOptions } from "./page/page.ts";

/**
 * A page that follows its house and can be put in the background for real: Playwright keeps every page of its own in
 * front, so this one is a target that it does not know, spoken to through the browser's own session.
 */
export class BackgroundPage {
  readonly #top: CDPSession;
  readonly #targetId: string;
  readonly #sessionId: string;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #calls = 0;

  private constructor(top: CDPSession, targetId: string, sessionId: string) {
    this.#top = top;
    this.#targetId = targetId;
    this.#sessionId = sessionId;
    top.on("Target.receivedMessageFromTarget", (told) => {
      if (told.sessionId !== this.#sessionId) return;
      const answer = JSON.parse(told.message) as Answer & { readonly id?: number };
      if (answer.id !== undefined) this.#answers.get(answer.id)?.(answer);
    });
  }

  /** Live, and told of its own life: `page.life` has `hidden`, `freeze`, `resume`, `visible` as they come. */
  static async open(browser: Browser, house: House, options: PageOptions): Promise<BackgroundPage> {
    const top = await browser.newBrowserCDPSession();
    const { browserContextId } = await top.send("Target.createBrowserContext");
    const page = await BackgroundPage.#openIn(top, browserContextId, house.origin);
    await page.until("globalThis.page !== undefined");
    await page.read(`
      page.life = [];
      for (const type of ["freeze", "resume"]) document.addEventListener(type, () => void page.life.push(type));
      document.addEventListener("visibilitychange", () => void page.life.push(document.visibilityState));
      page.follow(${JSON.stringify(options)});
    `);
    await page.until("page.kind() === 'live'");
    const cover = await BackgroundPage.#openIn(top, browserContextId, "about:blank");
    page.#cover = () => cover.#send("Page.bringToFront");
    onTestFinished(() => top.detach());
    return page;
  }

  static async #openIn(top: CDPSession, browserContextId: string, url: string): Promise<BackgroundPage> {
    const { targetId } = await top.send("Target.createTarget", { url, browserContextId });
    const { sessionId } = await top.send("Target.attachToTarget", { targetId, flatten: false });
    return new BackgroundPage(top, targetId, sessionId);
  }

  #cover: () => Promise<unknown> = () => Promise.resolve();

  /** Behind another tab, and stopped there as a browser stops what nobody looks at, to save power. */
  async freeze(): Promise<void> {
    await this.#cover();
    await this.until("page.life.at(-1) === 'hidden'");
    await this.#send("Page.setWebLifecycleState", { state: "frozen" });
    await this.until("page.life.at(-1) === 'freeze'");
  }

  /** Somebody looks at it again. */
  async thaw(): Promise<void> {
    await this.#send("Page.setWebLifecycleState", { state: "active" });
    await this.#send("Page.bringToFront");
    await this.until("page.life.at(-1) === 'visible'");
  }

  /** Also of a page that is frozen. */
  async read<Value>(expression: string): Promise<Value> {
    const answer = await this.#send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    return (answer as { readonly result: { readonly value: Value } }).result.value;
  }

  /** Asks over and over: a page that is frozen has no timers to tell it by itself. */
  async until(expression: string): Promise<void> {
    while (!(await this.read<boolean>(expression))) await setTimeout(20);
  }

  /** Every number once and in order, or exactly the gaps; returns how many of each. */
  async expectSound(): Promise<{ readonly events: number; readonly gaps: number }> {
    const told = await this.read<readonly Told[]>("page.told");
    expect(judgeHistory(told)).toEqual([]);
    const events = told.filter(({ event }) => event !== undefined).length;
    return { events, gaps: told.length - events };
  }

  async #send(method: string, params: object = {}): Promise<unknown> {
    const id = (this.#calls += 1);
    const answered = new Promise<Answer>((resolve) => void this.#answers.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    await this.#top.send("Target.sendMessageToTarget", { sessionId: this.#sessionId, message });
    const { result, error } = await answered;
    this.#answers.delete(id);
    if (error !== undefined) throw new Error(`${method} in ${this.#targetId}: ${error.message}`);
    return result;
  }
}

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}
