import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import type { Program } from "./bundle.ts";
import { House, type HouseOptions } from "./house.ts";
import { judgeHistory, type Told } from "./judge-history.ts";
import type { PageOptions } from "./page/page.ts";

/** A house that also serves a page with this program. */
export function houseWith(program: Program, options: HouseOptions = {}): Promise<House> {
  const [main] = program.keys();
  return House.open({
    ...options,
    handle: (request, response) => {
      if (request.url?.startsWith("/events")) return false;
      if (options.handle?.(request, response) === true) return true;
      const script = program.get(request.url?.slice(1) ?? "");
      response.setHeader("content-type", script === undefined ? "text/html" : "text/javascript");
      response.end(script ?? `<!doctype html><body><script type="module" src="/${main}"></script>`);
      return true;
    },
  });
}

/** A page that follows the house it comes from. */
export class FollowingPage {
  readonly page: Page;
  /** What the client said to its developer. */
  readonly warnings: string[] = [];
  /** What nobody caught. */
  readonly #troubles: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("console", (line) => void (line.text().startsWith("starcast: ") && this.warnings.push(line.text())));
    page.on("pageerror", ({ message }) => void this.#troubles.push(message));
  }

  static async open(context: BrowserContext, house: House, options: PageOptions): Promise<FollowingPage> {
    const following = new FollowingPage(await context.newPage());
    await following.load(house.origin, options);
    return following;
  }

  async load(origin: string, options: PageOptions): Promise<void> {
    await this.page.goto(origin);
    await this.page.waitForFunction("globalThis.page !== undefined");
    await this.page.evaluate(`page.follow(${JSON.stringify(options)})`);
  }

  async untilKind(kind: string): Promise<void> {
    await this.page.waitForFunction(`page.kind() === ${JSON.stringify(kind)}`, undefined, { polling: 20 });
  }

  async untilAt(position: string): Promise<void> {
    await this.page.waitForFunction(`page.last() === ${JSON.stringify(position)}`, undefined, { polling: 20 });
  }

  async untilTold(count: number): Promise<void> {
    await this.page.waitForFunction(`page.told.length >= ${count}`, undefined, { polling: 5 });
  }

  /**
   * Stops everything in the page, as a browser does with one it freezes, until what it resolves with is called. By its
   * debugger, since Playwright keeps its pages in front; `BackgroundPage` is frozen by the browser itself.
   */
  async freeze(): Promise<() => Promise<void>> {
    const devtools = await this.page.context().newCDPSession(this.page);
    await devtools.send("Debugger.enable");
    const frozen = new Promise((resolve) => void devtools.once("Debugger.paused", resolve));
    await devtools.send("Debugger.pause");
    // It stops at the next statement that it comes to: this one, or one of its own.
    const statement = devtools.send("Runtime.evaluate", { expression: "0" });
    await frozen;
    return async () => {
      await devtools.send("Debugger.resume");
      await statement;
      await devtools.detach();
    };
  }

  /** Says to the page that it is in the background, or no longer. */
  async lookAt(isVisible: boolean): Promise<void> {
    const state = isVisible ? "visible" : "hidden";
    await this.page.evaluate(`
      Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    `);
  }

  read<Value>(expression: string): Promise<Value> {
    return this.page.evaluate(expression);
  }

  /** Every number once and in order, or exactly the gaps; returns how many of each. */
  async expectSound(): Promise<{ readonly events: number; readonly gaps: number }> {
    const told = await this.read<readonly Told[]>("page.told");
    expect([judgeHistory(told), this.#troubles]).toEqual([[], []]);
    return {
      events: told.filter(({ event }) => event !== undefined).length,
      gaps: told.filter(({ gap }) => gap !== undefined).length,
    };
  }
}
