// A process whose disk refuses some of its writes: says, line by line, what became of each publication and what it could read.
import { writeSync } from "node:fs";
import process from "node:process";
import { isStarcastError } from "@starcast/core";
import { draft } from "@starcast/testing";
import { SqliteStore } from "../src/index.ts";

const [path = "", publications = "0"] = process.argv.slice(2);
const store = await SqliteStore.open(path);
for (let number = 1; number <= Number(publications); number += 1) {
  const outcome = await store.log.append([draft(number)]).then(() => "kept", codeOf);
  const events = await store.log.read(0, { maxEvents: 10_000, maxBytes: Infinity });
  writeSync(1, `${number} ${outcome} ${events.map(({ json }) => json).join(",")}\n`);
}
await store.close();

function codeOf(error: unknown): string {
  return isStarcastError(error) ? error.code : `untyped: ${String(error)}`;
}
