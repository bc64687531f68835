import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Broker } from "@starcast/core";
import { draft } from "@starcast/testing";
import { afterAll, describe, expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { SqliteStore } from "../src/index.ts";
import { bundle } from "./bundle.ts";
import { all, houseOfFiles, numbersOf, outcomeOf } from "./house.ts";
import { WriterProcess } from "./writer-process.ts";

const disks: string[] = [];

/** An empty disk of 24 MiB; null where nobody may mount one. */
function smallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), "starcast-small-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], { stdio: "ignore" });
    disks.push(folder);
    return folder;
  } catch {
    // Not root, or no mounts in this container: the tests are skipped by name.
    rmSync(folder, { recursive: true });
    return null;
  }
}

const canMount = process.platform === "linux" && smallDisk() !== null;

afterAll(() => {
  for (const disk of disks) {
    execFileSync("umount", ["--lazy", disk]);
    rmSync(disk, { recursive: true });
  }
});

describe.skipIf(!canMount)("on a small disk (needs the right to mount a tmpfs)", () => {
  const large = "x".repeat(20_000);

  it("publish is refused when it is full, reading goes on, and it goes on by itself when there is room", async () => {
    const folder = emptyDisk();
    const ballast = join(folder, "ballast");
    writeFileSync(ballast, Buffer.alloc(12_000_000));
    const path = join(folder, "catalog.db");
    const broker = new Broker({ store: await SqliteStore.open(path), observe: [] });
    const seen: string[] = [];
    broker.subscribe((event) => void seen.push(event.id));
    const kept: string[] = [];
    let refusal: unknown;
    while (refusal === undefined && kept.length < 1_000) {
      const outcome = await outcomeOf(broker.publish("model.added", large));
      if (typeof outcome === "string") refusal = outcome;
      else kept.push(outcome.id);
    }
    expect(refusal).toBe("store_full");
    expect(kept.length).toBeGreaterThan(20);

    const read: string[] = [];
    for await (const event of broker.follow({ from: "earliest" })) {
      read.push(event.id);
      if (read.length === kept.length) break;
    }
    expect(read).toEqual(kept);
    // Refused, then asked again: the same code, and no id is lost on it.
    expect(await outcomeOf(broker.publish("model.added", large))).toBe("store_full");

    rmSync(ballast);
    kept.push((await broker.publish("model.added", large)).id);
    expect(kept.map((id) => Number(id.split("-")[1]))).toEqual(kept.map((_, index) => index + 1));
    await broker.close();
    expect(seen).toEqual(kept);

    const again = await SqliteStore.open(path);
    expect(`${again.log.epoch}-${again.log.head}`).toBe(kept.at(-1));
    await again.close();
  });

  it("a store that is closed on a full disk lets go of the file, and is the same afterwards", async () => {
    const folder = emptyDisk();
    const path = join(folder, "catalog.db");
    const store = await SqliteStore.open(path);
    await store.log.append([draft(1)]);
    const ballast = join(folder, "ballast");
    expect(() => writeFileSync(ballast, Buffer.alloc(26_000_000))).toThrow("ENOSPC");
    while ((await outcomeOf(store.log.append([draft(large)]))) !== "store_full");
    const { head, epoch } = store.log;
    await outcomeOf(store.close());
    rmSync(ballast);
    const again = await SqliteStore.open(path);
    expect([again.log.epoch, again.log.head]).toEqual([epoch, head]);
    expect(await again.log.read(0, all)).toHaveLength(head);
    await again.close();
  });

  it("a file on a disk that is read-only is refused with a typed error, and opens when it is not", async () => {
    const folder = emptyDisk();
    const path = join(folder, "catalog.db");
    // Another process: a file that is open for writing keeps its disk writable.
    await new WriterProcess({ path, run: 1, commits: 3 }).end();
    execFileSync("mount", ["-o", "remount,ro", folder]);
    const refusal = await outcomeOf(SqliteStore.open(path));
    execFileSync("mount", ["-o", "remount,rw", folder]);
    expect(refusal).toBe("store_failed");
    const store = await SqliteStore.open(path);
    await store.log.append([draft(2)]);
    await store.close();
  });
});

describeWith("strace", "on a disk that is read-only for a while", (strace) => {
  const house = houseOfFiles();

  // No mount can be made read-only while a file on it is open for writing: the system refuses it. What a failing disk makes
  // of it, the process sees as EROFS on each write, and so it gets just that.
  it("publish is refused with a typed error, reading goes on, and it goes on by itself", async () => {
    const { open, path } = house();
    await (await open()).close();
    const { stdout } = await promisify(execFile)(strace, [
      ...["-f", "-qq", "-o", "/dev/null", "-P", path, "-P", `${path}-wal`],
      ...["-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EROFS:when=100..130"],
      ...[process.execPath, "--no-warnings", await bundle("child-on-read-only-disk.ts"), path, "100"],
    ]);
    const kept: number[] = [];
    const outcomes: string[] = [];
    for (const line of stdout.trim().split("\n")) {
      const [number = "", outcome = "", readable = ""] = line.split(" ");
      if (outcome === "kept") kept.push(Number(number));
      expect(readable).toBe(kept.join(","));
      if (outcome !== outcomes.at(-1)) outcomes.push(outcome);
    }
    expect(outcomes).toEqual(["kept", "store_failed", "kept"]);
    const { log } = await open();
    expect(numbersOf(await log.read(0, all))).toEqual(kept);
    expect(log.head).toBe(kept.length);
  });
});

function emptyDisk(): string {
  const disk = smallDisk();
  if (disk === null) throw new Error("Expected to mount another tmpfs, was refused");
  return disk;
}
