import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drafts } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { textOf } from "../src/columns.ts";
import { SqliteStore, type SqliteOptions } from "../src/index.ts";
import { all, houseOfFiles, numbersOf, outcomeOf, type House } from "./house.ts";

const house = houseOfFiles();

/** A file as a killed process leaves it: everything beside it, nothing closed. Gives where the copy is. */
async function leftBehind({ open, folder, path }: House, options: SqliteOptions, events = 5): Promise<string> {
  const store = await open(options);
  await store.log.append(drafts(events));
  return copyAll(path, join(folder, "left.db"));
}

function copyAll(from: string, to: string): string {
  for (const suffix of ["", "-wal", "-head"]) if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
  return to;
}

async function epochOf(rooms: House, path: string, options: SqliteOptions = {}): Promise<string> {
  const store = await rooms.open(options, path);
  return store.log.epoch;
}

async function epochInside(rooms: House, path: string): Promise<string> {
  let epoch = "";
  await rooms.edit((driver) => {
    epoch = textOf(driver.prepare("SELECT value FROM meta WHERE key = 'epoch'").get()?.["value"]);
  }, path);
  return epoch;
}

describe("the epoch of a file that was not closed", () => {
  it("stays on the same boot", async () => {
    const rooms = house();
    const left = await leftBehind(rooms, { bootId: "boot-1" });
    const store = await rooms.open({ bootId: "boot-1" }, left);
    expect(store.log.epoch).toBe(await epochInside(rooms, rooms.path));
    expect(numbersOf(await store.log.read(0, all))).toHaveLength(5);
  });

  it("is new on another boot, and what is still there is kept", async () => {
    const rooms = house();
    const left = await leftBehind(rooms, { bootId: "boot-1" });
    const store = await rooms.open({ bootId: "boot-2" }, left);
    expect(store.log.epoch).not.toBe(await epochInside(rooms, rooms.path));
    expect(numbersOf(await store.log.read(0, all))).toHaveLength(5);
    expect(await store.log.append(drafts(1))).toMatchObject([{ position: { epoch: store.log.epoch, offset: 6 } }]);
  });

  it("stays on another boot when every acknowledgement was on disk", async () => {
    const rooms = house();
    const left = await leftBehind(rooms, { bootId: "boot-1", durability: "disk" });
    expect(await epochOf(rooms, left, { bootId: "boot-2" })).toBe(await epochInside(rooms, rooms.path));
  });

  it("is new when the life that ended did not write to disk, whatever the next one does", async () => {
    const rooms = house();
    const left = await leftBehind(rooms, { bootId: "boot-1", durability: "process" });
    expect(await epochOf(rooms, left, { bootId: "boot-2", durability: "disk" })).not.toBe(
      await epochInside(rooms, rooms.path),
    );
  });
});

describe("the epoch of a file that was closed", () => {
  async function closed(rooms: House, events = 5): Promise<string> {
    const store = await rooms.open({ bootId: "boot-1" });
    await store.log.append(drafts(events));
    await store.close();
    return store.log.epoch;
  }

  it("stays on another boot", async () => {
    const rooms = house();
    const epoch = await closed(rooms);
    expect(await epochOf(rooms, rooms.path, { bootId: "boot-2" })).toBe(epoch);
  });

  it.each([0, 5])("is new when what lay beside it is gone (%i events)", async (events) => {
    const rooms = house();
    const epoch = await closed(rooms, events);
    rmSync(`${rooms.path}-head`);
    expect(await epochOf(rooms, rooms.path)).not.toBe(epoch);
  });

  it("is new when what lay beside it is torn", async () => {
    const rooms = house();
    const epoch = await closed(rooms);
    writeFileSync(`${rooms.path}-head`, '{"identity":');
    expect(await epochOf(rooms, rooms.path)).not.toBe(epoch);
  });

  it("is new when the file is another one", async () => {
    const rooms = house();
    await closed(rooms);
    const other = await rooms.open({}, join(rooms.folder, "other.db"));
    await other.log.append(drafts(9));
    await other.close();
    renameSync(join(rooms.folder, "other.db"), rooms.path);
    expect(await epochOf(rooms, rooms.path)).not.toBe(other.log.epoch);
  });

  it("is new when an older copy was put back, by as little as one event", async () => {
    const rooms = house();
    const first = await closed(rooms);
    copyFileSync(rooms.path, join(rooms.folder, "copy.db"));
    const second = await rooms.open({ bootId: "boot-1" });
    expect(second.log.epoch).toBe(first);
    await second.log.append(drafts(1, 6));
    // The process is killed here: nothing is closed. The copy comes back over it.
    const left = copyAll(rooms.path, join(rooms.folder, "left.db"));
    rmSync(`${left}-wal`, { force: true });
    copyFileSync(join(rooms.folder, "copy.db"), left);
    const store = await rooms.open({ bootId: "boot-1" }, left);
    expect(store.log.head).toBe(5);
    expect(store.log.epoch).not.toBe(first);
  });

  it.each([0, 5])("is new after restore, also of a backup with %i events", async (events) => {
    const rooms = house();
    const epoch = await closed(rooms, events);
    const backup = join(rooms.folder, "backup.db");
    copyFileSync(rooms.path, backup);
    const more = await rooms.open();
    await more.log.append(drafts(20, 6));
    await more.close();
    await SqliteStore.restore(backup, rooms.path);
    const restored = await rooms.open();
    expect(restored.log.epoch).not.toBe(epoch);
    expect(restored.log.head).toBe(events);
  });
});

describe("restore", () => {
  it("is refused while a store is open, and for what is no backup", async () => {
    const rooms = house();
    const store = await rooms.open();
    await store.log.append(drafts(3));
    const backup = join(rooms.folder, "backup.db");
    writeFileSync(backup, "not a database, but long enough to be read as one".repeat(100));
    expect(await outcomeOf(SqliteStore.restore(backup, rooms.path))).toBe("store_locked");
    await store.close();
    expect(await outcomeOf(SqliteStore.restore(backup, rooms.path))).toBe("store_corrupt");
    expect(await outcomeOf(SqliteStore.restore(join(rooms.folder, "absent.db"), rooms.path))).toBe("store_failed");
    expect((await rooms.open()).log.head).toBe(3);
  });

  it.each([
    ["an empty file", () => Buffer.alloc(0)],
    ["the first half of a backup", (whole: Buffer) => whole.subarray(0, whole.length / 2)],
    [
      "a backup with a page of zeros",
      (whole: Buffer) => Buffer.concat([whole.subarray(0, -4_096), Buffer.alloc(4_096)]),
    ],
  ])("is refused for %s: what is there stays", async (_name, damage) => {
    const rooms = house();
    const store = await rooms.open();
    await store.log.append(drafts(300));
    await store.close();
    const backup = join(rooms.folder, "backup.db");
    writeFileSync(backup, damage(readFileSync(rooms.path)));
    expect(await outcomeOf(SqliteStore.restore(backup, rooms.path))).toBe("store_corrupt");
    const again = await rooms.open();
    expect([again.log.epoch, again.log.head]).toEqual([store.log.epoch, 300]);
  });
});

describe("a second writer", () => {
  it.each(["the same path", "a link to it"])("is refused by %s, until the first is closed", async (way) => {
    const rooms = house();
    const first = await rooms.open();
    await first.log.append(drafts(1));
    const path = way === "the same path" ? rooms.path : join(rooms.folder, "link.db");
    if (path !== rooms.path) symlinkSync(rooms.path, path);
    expect(await outcomeOf(rooms.open({}, path))).toBe("store_locked");
    await first.close();
    expect((await rooms.open({}, path)).log.head).toBe(1);
  });
});

describe("a file that is not ours", () => {
  it("of newer code is refused, and not changed", async () => {
    const rooms = house();
    await (await rooms.open()).close();
    await rooms.edit((driver) => driver.exec("PRAGMA user_version = 999"));
    expect(await outcomeOf(rooms.open())).toBe("store_too_new");
    await rooms.edit((driver) =>
      expect(driver.prepare("PRAGMA user_version").get()).toMatchObject({ user_version: 999 }),
    );
  });

  it("but of another program is refused, and not changed", async () => {
    const rooms = house();
    await rooms.edit((driver) => driver.exec("CREATE TABLE invoices (id)"));
    expect(await outcomeOf(rooms.open())).toBe("invalid_option");
    await rooms.edit((driver) =>
      expect(driver.prepare("SELECT name FROM sqlite_schema").all()).toMatchObject([{ name: "invoices" }]),
    );
  });

  it.each(["", ":memory:", 7, null])("as the path %j is refused", async (path) => {
    expect(await outcomeOf(SqliteStore.open(path as string))).toBe("invalid_option");
  });
});
