import { crc32 } from "node:zlib";
import type { SimulatedFile } from "./simulated-file.ts";

/** One change of the store, as it is written; doing all of them again gives the store again. */
export type Entry =
  | { readonly kind: "opened"; readonly epochSeed: number; readonly boot: number }
  | { readonly kind: "closed" }
  | {
      readonly kind: "changed";
      readonly at: number;
      readonly port: "log" | "checkpoints" | "deliveries" | "records";
      readonly method: string;
      readonly given: readonly unknown[];
      /** How many each endpoint had room for, as was asked while claiming. */
      readonly rooms: Readonly<Record<string, number>>;
    };

const utf8 = new TextEncoder();
const text = new TextDecoder();
const newline = 10;

/** A line per entry: checksum, then the entry as JSON text. */
export function encodeEntry(entry: Entry): Uint8Array {
  const json = JSON.stringify(entry);
  return utf8.encode(`${crc32(json).toString(16)} ${json}\n`);
}

/** The entries up to the first that is damaged; what follows it is cut off, as nobody can know what it was. */
export function recoverEntries(file: SimulatedFile): readonly Entry[] {
  const bytes = file.read();
  const entries: Entry[] = [];
  let start = 0;
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
    const line = text.decode(bytes.subarray(start, end));
    const space = line.indexOf(" ");
    const json = line.slice(space + 1);
    if (space < 1 || crc32(json).toString(16) !== line.slice(0, space)) break;
    entries.push(JSON.parse(json) as Entry);
    start = end + 1;
  }
  file.truncate(start);
  return entries;
}
