import { describe, expect, it } from "vitest";
import { ago, bytes, count, duration, money, tokens } from "./format.ts";
import { pricesOf } from "./prices.ts";

describe("the words of the page", () => {
  it.each([
    [count(12_345), "12,345"],
    [money(null), "—"],
    [money(3), "$3.00"],
    [money(0.1 + 0.2), "$0.30"],
    [money(0.075), "$0.075"],
    [money(1_250), "$1,250.00"],
    [tokens(undefined), "—"],
    [tokens(512), "512"],
    [tokens(128_000), "128k"],
    [tokens(1_048_576), "1M"],
    [ago(1_000, 1_500), "now"],
    [ago(0, 12_000), "12 s"],
    [ago(0, 180_000), "3 min"],
    [ago(0, 7_200_000), "2 h"],
    [bytes(512), "512 B"],
    [bytes(65_536), "66 kB"],
    [bytes(1_234_567), "1.2 MB"],
    [duration(null), "—"],
    [duration(2.4), "2 ms"],
    [duration(1_440), "1.4 s"],
    [duration(120_000), "2 min"],
  ])("say %s", (said, wanted) => {
    expect(said).toBe(wanted);
  });

  it.each([
    [
      { input_mtok: 1, output_mtok: 2 },
      { input: 1, output: 2 },
    ],
    [{ input_mtok: { base: 1, tiers: [] } }, { input: 1, output: null }],
    [[{ prices: { input_mtok: 9 } }, { prices: { input_mtok: 3 } }], { input: 3, output: null }],
    [undefined, { input: null, output: null }],
    [[], { input: null, output: null }],
    [{ input_mtok: "free" }, { input: null, output: null }],
  ])("read the newest prices of %j", (prices, wanted) => {
    expect(pricesOf({ id: "x", provider: "y", prices })).toEqual(wanted);
  });
});
