import { describe, expect, it } from "vitest";
import type { Tally } from "../receivers/ledger.ts";
import { differencesOf, tableOf } from "./verdict.ts";
import type { Row } from "./verdict.ts";

const row = (tally: Partial<Tally> = {}, more: Partial<Row> = {}): Row => ({
  name: "SSE",
  sent: 10,
  isOrdered: true,
  outages: ["cut"],
  tally: { received: 10, duplicates: 0, disordered: 0, told: 0, through: 20, missing: 0, ...tally },
  ...more,
});

describe("the verdict over a transport", () => {
  it("is silent when every event arrived, even twice", () => {
    expect(differencesOf(row({ duplicates: 3 }))).toEqual([]);
  });

  it.each([
    ["an event too few", row({ received: 9 }), /10 events were sent, 9 received/],
    ["an event too many", row({ received: 11 }), /11 received/],
    ["a hole", row({ missing: 1 }), /1 events are missing/],
    ["a gap that was told", row({ told: 2 }), /2 were told never to come/],
    ["disorder", row({ disordered: 1 }), /out of order/],
    ["a check without an outage", row({}, { outages: [] }), /no outage/],
  ])("names %s", (_, judged, message) => {
    expect(differencesOf(judged).join("\n")).toMatch(message);
  });

  it("allows disorder where each delivery is on its own", () => {
    expect(differencesOf(row({ disordered: 1 }, { isOrdered: false }))).toEqual([]);
  });
});

describe("the table", () => {
  it("has a line for each transport", () => {
    expect(tableOf([row(), row({ duplicates: 12 }, { name: "webhooks", outages: ["down", "503"] })])).toBe(
      [
        "transport  sent  received  duplicates  gaps  order  outages in the middle",
        "---------  ----  --------  ----------  ----  -----  ---------------------",
        "SSE          10        10           0     0  kept   cut",
        "webhooks     10        10          12     0  kept   down, 503",
      ].join("\n"),
    );
  });
});
