import { median, type Measures } from "./interleave.ts";
import type { Row } from "./suite.ts";

/** The rows of one situation, from its measures. */
export function rowsOf(situation: string, measures: Measures, unit: string): readonly Row[] {
  return [...measures].map(([contender, values]) => ({
    situation,
    contender,
    value: median(values),
    unit,
    spread: [Math.min(...values), Math.max(...values)],
  }));
}

export function printTable(rows: readonly Row[]): void {
  const lines = rows.map(({ situation, contender, value, unit, spread }) => [
    situation,
    contender,
    `${format(value)} ${unit}`,
    `${format(spread[0])} - ${format(spread[1])}`,
  ]);
  const table = [["situation", "contender", "median", "min - max"], ...lines];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  let previous = "";
  for (const line of table) {
    if (line[0] !== previous) console.log("");
    previous = line[0] ?? "";
    console.log(
      line
        .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  "),
    );
  }
}

function format(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString("en-US");
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
