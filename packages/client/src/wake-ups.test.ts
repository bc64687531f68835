import { afterEach, describe, expect, it, vi } from "vitest";
import { listenTo, wakeUps } from "./wake-ups.ts";

afterEach(() => void vi.unstubAllGlobals());

/** What a page is told about itself, by a browser's own kind of object. */
function stubPage(): { readonly page: EventTarget; readonly document: EventTarget & { visibilityState: string } } {
  const page = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  vi.stubGlobal("document", document);
  return { page, document };
}

describe("a page", () => {
  it("wakes its clients when the network is back, when it is shown again, and when it is looked at", () => {
    const { page, document } = stubPage();
    const told: string[] = [];
    const stop = listenTo(
      wakeUps(
        () => void told.push("woken"),
        () => void told.push("hidden"),
      ),
    );
    page.dispatchEvent(new Event("online"));
    page.dispatchEvent(new Event("pageshow"));
    document.dispatchEvent(new Event("visibilitychange"));
    expect(told).toEqual(["woken", "woken", "woken"]);
    document.visibilityState = "hidden";
    document.dispatchEvent(new Event("visibilitychange"));
    page.dispatchEvent(new Event("pagehide"));
    expect(told.slice(3)).toEqual(["hidden", "hidden"]);
    stop();
    page.dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("visibilitychange"));
    expect(told).toHaveLength(5);
  });

  it("is not needed", () => {
    listenTo(
      wakeUps(
        () => undefined,
        () => undefined,
      ),
    )();
  });
});
