import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { SqliteStore } from "../src/index.ts";

it.each([
  ["of a folder", "", "Expected a path of a file"],
  ["in a folder that is not there", join("absent", "events.db"), "in a folder that is there"],
  ["of another kind of file", "notes.txt", "choose another path"],
])("a path %s is refused, and the message says what to do", async (_, path, says) => {
  const folder = await mkdtemp(join(tmpdir(), "starcast-sqlite-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "notes.txt"), "no database, but long enough to be read as one".repeat(100));
  await expect(SqliteStore.open(join(folder, path))).rejects.toThrow(says);
});
