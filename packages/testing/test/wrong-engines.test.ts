import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { env, execPath } from "node:process";
import { MemoryStore, type CheckpointStore, type EventLog, type MemoryStoreOptions } from "@starcast/core";
import { describeCheckpoints, describeEventLog } from "@starcast/testing";
import { describe, expect, it } from "vitest";

const wrongLogs: Readonly<Record<string, (inner: EventLog) => Partial<EventLog>>> = {
  "loses the last of several": (inner) => ({
    append: (drafts) => inner.append(drafts.length > 1 ? drafts.slice(0, -1) : drafts),
  }),
  "forgets dedupe keys": (inner) => ({
    append: (drafts) => inner.append(drafts.map((draft) => ({ ...draft, dedupeKey: undefined }))),
  }),
  "reads one event too early": (inner) => ({ read: (after, limit) => inner.read(Math.max(0, after - 1), limit) }),
  "reads more than was asked for": (inner) => ({
    read: (after) => inner.read(after, { maxEvents: 10_000, maxBytes: Infinity }),
  }),
  "reads newest first": (inner) => ({ read: async (after, limit) => (await inner.read(after, limit)).toReversed() }),
  "tells its watchers nothing": () => ({ watch: () => () => undefined }),
  "tells its watchers everything twice": (inner) => ({
    watch: (onCommitted) => inner.watch((events) => onCommitted([...events, ...events])),
  }),
  "hides what it trimmed": () => ({ trimmedThrough: 0 }),
  "goes on after its end": () => ({ close: () => Promise.resolve() }),
};

const wrongCheckpoints: Readonly<Record<string, (inner: CheckpointStore) => Partial<CheckpointStore>>> = {
  "saves nothing": () => ({ save: () => Promise.resolve() }),
  "never gives a lease back": () => ({ release: () => Promise.resolve() }),
  "lets a stale lease renew": () => ({ renew: () => Promise.resolve() }),
  "remembers no place": () => ({ load: () => Promise.resolve(null) }),
  "lists nothing": () => ({ list: () => Promise.resolve([]) }),
};

// This file runs itself: in the inner run the wrong engines meet the suites, in the outer one each must have failed.
if (env["STARCAST_WRONG_ENGINES"] === undefined) {
  describe("an engine that", () => {
    const failures = runInside();
    const names = [...Object.keys(wrongLogs), ...Object.keys(wrongCheckpoints)];
    it.each(names)("%s is caught by its suite", { timeout: 120_000 }, async (name) => {
      expect((await failures).filter((title) => title.includes(` of one that ${name} `))).not.toEqual([]);
    });

    it("does nothing wrong passes, seen the same way", { timeout: 120_000 }, async () => {
      expect((await failures).filter((title) => title.includes(" of one that does nothing wrong "))).toEqual([]);
    });
  });
} else {
  const inMemory = { durable: false, shared: false };
  for (const [name, alter] of Object.entries({ ...wrongLogs, "does nothing wrong": () => ({}) }))
    describeEventLog(`one that ${name}`, {
      open: async (request: MemoryStoreOptions) => altered(new MemoryStore(request).log, alter),
      ...inMemory,
    });
  for (const [name, alter] of Object.entries({ ...wrongCheckpoints, "does nothing wrong": () => ({}) }))
    describeCheckpoints(`one that ${name}`, {
      open: async (request: MemoryStoreOptions) => altered(new MemoryStore(request).checkpoints, alter),
      ...inMemory,
    });
}

function altered<Port extends object>(inner: Port, alter: (inner: Port) => Partial<Port>): Port {
  const instead = alter(inner);
  return new Proxy(inner, {
    get: (target, name) => {
      if (name in instead) return Reflect.get(instead, name) as unknown;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** The titles of all tests that failed when the wrong engines met the suites. */
async function runInside(): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "starcast-wrong-engines-"));
  const outputFile = join(folder, "results.json");
  const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
  const root = join(import.meta.dirname, "../../..");
  const args = [vitest, "run", "--project", "integration", "--reporter", "json", "--outputFile", outputFile];
  await new Promise<void>((resolve) => {
    execFile(
      execPath,
      [...args, "--testTimeout", "2000", "packages/testing/test/wrong-engines.test.ts"],
      { cwd: root, env: { ...env, STARCAST_WRONG_ENGINES: "inside" }, maxBuffer: 16 * 1_048_576 },
      // It fails by design; which tests did is in the file.
      () => resolve(),
    );
  });
  const { testResults } = JSON.parse(readFileSync(outputFile, "utf8")) as {
    readonly testResults: readonly {
      readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
    }[];
  };
  rmSync(folder, { recursive: true });
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .flatMap(({ fullName, status }) => (status === "failed" ? [fullName] : []));
}
