import { checkTransports } from "./check-transports.ts";
import { differencesOf, tableOf } from "./verdict.ts";

/** Runs the check, writes its table, and gives the exit code: 0 when every event arrived, exactly, everywhere. */
export async function runCheck(
  write: (line: string) => void,
  ...check: Parameters<typeof checkTransports>
): Promise<0 | 1> {
  const rows = await checkTransports(...check);
  const differences = rows.flatMap(differencesOf);
  write(`\n${tableOf(rows)}\n`);
  if (differences.length === 0) {
    write("Every event arrived over every transport, across its outages: none lost, none out of order.");
    return 0;
  }
  write(["Differences:", ...differences].join("\n  "));
  return 1;
}
