import type { Tally } from "../receivers/ledger.ts";

/** What one transport has to show at the end. */
export interface Row {
  readonly name: string;
  readonly sent: number;
  readonly tally: Tally;
  readonly isOrdered: boolean;
  readonly outages: readonly string[];
}

/** What differs from every event, exactly once by id, in order; empty when nothing does. Pure. */
export function differencesOf({ name, sent, tally, isOrdered, outages }: Row): readonly string[] {
  const differences: string[] = [];
  if (tally.received !== sent) differences.push(`${name}: ${sent} events were sent, ${tally.received} received`);
  if (tally.missing + tally.told > 0)
    differences.push(`${name}: ${tally.missing} events are missing, ${tally.told} were told never to come`);
  if (isOrdered && tally.disordered > 0) differences.push(`${name}: ${tally.disordered} events came out of order`);
  if (outages.length === 0) differences.push(`${name}: no outage took place`);
  return differences;
}

/** The rows as a table for a terminal. */
export function tableOf(rows: readonly Row[]): string {
  const head = ["transport", "sent", "received", "duplicates", "gaps", "order", "outages in the middle"];
  const body = rows.map(({ name, sent, tally, outages }) => [
    name,
    String(sent),
    String(tally.received),
    String(tally.duplicates),
    String(tally.missing + tally.told),
    tally.disordered === 0 ? "kept" : `${tally.disordered} late`,
    outages.join(", "),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => align(cell, widths[column] ?? 0, column))
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...body.map(line)].join("\n");
}

// Numbers stand to the right.
function align(cell: string, width: number, column: number): string {
  return column >= 1 && column <= 4 ? cell.padStart(width) : cell.padEnd(width);
}
