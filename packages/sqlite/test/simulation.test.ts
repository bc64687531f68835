import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulate, tellFailure, type Crash, type EngineMaker } from "@starcast/testing";
import type { Store, Surroundings } from "@starcast/core";
import { afterEach, describe, expect, it } from "vitest";
import { SqliteStore } from "../src/index.ts";

const first = Number(process.env["STARCAST_SEED"] ?? 1);
const seeds = Number(process.env["STARCAST_SEEDS"] ?? 50);

const thisFile = "packages/sqlite/test/simulation.test.ts";
const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
});

type Request = Parameters<EngineMaker>[0];

/** The real engine in a simulated world: its files are real, its clock and its turns are the world's. */
class SqliteEngine {
  readonly name: string;
  readonly isShared = false;
  readonly isReliable = true;
  readonly #request: Request;
  readonly #folder = mkdtempSync(join(tmpdir(), "starcast-simulated-"));
  readonly #durability: "process" | "disk";
  readonly #commitMs: number;
  readonly #pruneRows: number;
  /** A process that was killed lets go of its files only when the world is over: to close them would commit what waits. */
  readonly #stores: Store[] = [];
  #path = join(this.#folder, "1.db");
  #boot = 1;
  #files = 1;
  #whenOpened = { database: Buffer.alloc(0), walBytes: 0 };

  constructor(request: Request) {
    const { random } = request;
    this.#request = request;
    this.#durability = random.pick(["process", "disk"]);
    this.#commitMs = random.pick([0, 0, 5]);
    this.#pruneRows = random.pick([1, 10, 1_000]);
    this.name = `sqlite (${this.#durability}, commits in ${this.#commitMs} ms, prunes ${this.#pruneRows})`;
    ends.push(async () => {
      for (const store of this.#stores) await store.close();
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  async open(surroundings: Surroundings): Promise<Store> {
    const { retention, dedupeWindowMs, maxPerEndpoint } = this.#request;
    const store = await SqliteStore.open(this.#path, {
      retention,
      dedupeWindowMs,
      maxPerEndpoint,
      surroundings,
      durability: this.#durability,
      commitMs: this.#commitMs,
      pruneRows: this.#pruneRows,
      bootId: `boot-${this.#boot}`,
    });
    this.#stores.push(store);
    this.#whenOpened = { database: readFileSync(this.#path), walBytes: statSync(`${this.#path}-wal`).size };
    return store;
  }

  crash(_store: Store, crash: Crash): Promise<void> {
    const from = this.#path;
    this.#files += 1;
    this.#path = join(this.#folder, `${this.#files}.db`);
    for (const suffix of ["", "-wal", "-head"])
      if (existsSync(from + suffix)) copyFileSync(from + suffix, this.#path + suffix);
    if (crash === "power cut") this.#cutPower();
    return Promise.resolve();
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  /** The machine starts anew. Of what no fsync has asked for, any part of the WAL's end is lost. */
  #cutPower(): void {
    this.#boot += 1;
    const { database, walBytes } = this.#whenOpened;
    // What SQLite has moved into the main file was on disk in the WAL before.
    const isCheckpointed = !readFileSync(this.#path).equals(database);
    if (this.#durability === "disk" || isCheckpointed) return;
    const wal = `${this.#path}-wal`;
    truncateSync(wal, this.#request.random.integer(walBytes, statSync(wal).size));
  }
}

describe(`${seeds} simulated worlds on SQLite`, () => {
  it("keep every promise to every subscriber", { timeout: 60_000 + seeds * 2_000 }, async () => {
    const totals: Record<string, number> = {};
    for (let seed = first; seed < first + seeds; seed += 1) {
      const verdict = await simulate({ seed, engine: (request) => new SqliteEngine(request) });
      const isRight = verdict.problems.length === 0;
      const failure = tellFailure(verdict, `STARCAST_SEEDS=1 STARCAST_SEED=${seed} npm test -- ${thisFile} #`);
      // Only then: what the dead had still to commit is no part of the world.
      for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
      if (!isRight) throw new Error(failure);
      for (const [what, count] of Object.entries(verdict.counts)) totals[what] = (totals[what] ?? 0) + count;
    }
    // Worlds in which nothing happens keep every promise, too.
    for (const what of ["published", "lives", "deliveries"]) expect(totals[what], what).toBeGreaterThan(seeds * 5);
    if (seeds >= 50) for (const what of ["crashes", "epochs"]) expect(totals[what], what).toBeGreaterThan(seeds / 10);
  });
});
