import type { CatalogSync } from "@starcast/catalog";
import type { Position } from "@starcast/core";
import type { CheckedTransport } from "../sides/checked-transport.ts";
import { LiveSide } from "../sides/live-side.ts";
import { checkTransports } from "./check-transports.ts";
import { differencesOf, tableOf } from "./verdict.ts";

/** Runs the check, writes its table, and gives the exit code: 0 when every event arrived, exactly, everywhere. */
export async function runCheck(
  write: (line: string) => void,
  broker: { readonly position: Position },
  sync: CatalogSync,
  {
    origin,
    token,
    sides,
  }: { readonly origin: string; readonly token: string | null; readonly sides: readonly CheckedTransport[] },
): Promise<0 | 1> {
  await sync.sync();
  const live = await LiveSide.openBoth(`${origin}/events`, broker.position, { token, folder: null });
  const rows = await checkTransports(broker, sync, [...live, ...sides]);
  for (const side of live) side.close();
  const differences = rows.flatMap(differencesOf);
  write(`\n${tableOf(rows)}\n`);
  if (differences.length === 0) {
    write("Every event arrived over every transport, across its outages: none lost, none out of order.");
    return 0;
  }
  write(["Differences:", ...differences].join("\n  "));
  return 1;
}
