import { describe, expect, it } from "vitest";
import type { Claim, DeliveryDraft } from "@starcast/core";
import type { BacklogCounts } from "../src/backlog-counts.ts";
import { prepareDeliveries } from "../src/delivery-statements.ts";
import { openDriver, type Driver, type Row, type Statement } from "../src/driver.ts";
import type { FinishedDeliveries } from "../src/finished-deliveries.ts";
import { EventCopies } from "../src/event-copies.ts";
import { GroupCommit } from "../src/group-commit.ts";
import { Meta } from "../src/meta.ts";
import { resolveSqliteOptions } from "../src/options.ts";
import { migrate } from "../src/schema.ts";
import { SqliteCheckpoints } from "../src/sqlite-checkpoints.ts";
import { SqliteDeliveries } from "../src/sqlite-deliveries.ts";
import { houseOfFiles } from "./house.ts";

const pending = 100_000;
const tried = 20_000;
const perPut = 5_000;
const atOnce = 200;

/** Counts what every statement gives back. */
class CountingDriver implements Driver {
  readonly name: Driver["name"];
  rows = 0;
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
    this.name = driver.name;
  }

  exec(sql: string): void {
    this.#driver.exec(sql);
  }

  prepare(sql: string): Statement {
    const statement = this.#driver.prepare(sql);
    const count = (given: readonly Row[]): void => void (this.rows += given.length);
    return {
      run: (...values) => statement.run(...values),
      runList: (values) => statement.runList(values),
      get: (...values) => {
        const row = statement.get(...values);
        if (row !== undefined) count([row]);
        return row;
      },
      all: (...values) => {
        const given = statement.all(...values);
        count(given);
        return given;
      },
    };
  }

  close(): void {
    this.#driver.close();
  }
}

/** Just the deliveries of a file, over a driver that counts. */
function deliveriesOver(driver: Driver): SqliteDeliveries {
  const options = resolveSqliteOptions({});
  const { clock, scheduler } = options.surroundings;
  const told = (): readonly (BacklogCounts | FinishedDeliveries)[] => [deliveries.counts, deliveries.finished];
  const commit = new GroupCommit({
    driver,
    scheduler,
    commitMs: 0,
    beforeWork: () => told().forEach((each) => each.beforeWork()),
    afterWork: () => undefined,
    onUndone: () => told().forEach((each) => each.onUndone()),
    beforeCommit: () => told().forEach((each) => each.beforeCommit()),
    onCommitted: () => told().forEach((each) => each.afterCommit()),
    onRolledBack: () => told().forEach((each) => each.rolledBack()),
  });
  const checkpoints = new SqliteCheckpoints({ driver, meta: new Meta(driver), commit, clock, maxCheckpoints: 1 });
  const epoch = "abc";
  const copies = new EventCopies({ driver, epoch, log: emptyLog });
  const deliveries: SqliteDeliveries = new SqliteDeliveries({ driver, epoch, commit, checkpoints, copies, options });
  return deliveries;
}

function draftOf(index: number): DeliveryDraft {
  const event = { id: `e${index}`, type: "a.b", subject: undefined, timestamp: "t", json: `${index}` };
  return { endpointId: "ep", event, dueAt: 0, orderKey: undefined };
}

describe("a backlog of 100,000 deliveries", () => {
  const house = houseOfFiles();

  it("is claimed a few rows at a time, one claim as cheaply as the next, with no more in memory than is under way", async () => {
    const { path } = house();
    const driver = new CountingDriver(await openDriver(path));
    driver.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    migrate(driver);
    const deliveries = deliveriesOver(driver);
    try {
      for (let index = 0; index < pending; index += perPut)
        await deliveries.put(Array.from({ length: perPut }, (_, each) => draftOf(index + each)));
      const order: string[] = [];
      const rowsPerClaim: number[] = [];
      const step = async (): Promise<readonly Claim[]> => {
        const before = driver.rows;
        const request = { now: Date.now(), limit: atOnce, perEndpoint: () => atOnce, leaseMs: 60_000 };
        const claims = await deliveries.claimDue(request);
        rowsPerClaim.push((driver.rows - before) / claims.length);
        order.push(...claims.map(({ delivery }) => delivery.event.json));
        return claims;
      };
      for (let claims = await step(); order.length < tried; claims = await step()) {
        if (order.length % 5_000 === 0) expect((await deliveries.backlog("ep")).attempting).toBe(atOnce);
        const done = { at: Date.now(), tookMs: 1, category: "succeeded", status: 204, answer: null };
        await Promise.all(claims.map((claim) => deliveries.succeed(claim, done)));
      }
      expect(order).toEqual(Array.from({ length: tried }, (_, index) => String(index)));
      // The delivery itself; a look into the index gives its rows in one.
      expect(Math.max(...rowsPerClaim)).toBeLessThan(1.5);
    } finally {
      driver.close();
    }
  }, 120_000);

  it("is never searched without an index", async () => {
    const { path } = house();
    const driver = await openDriver(path);
    try {
      migrate(driver);
      const texts: string[] = [];
      const listening: Driver = {
        name: driver.name,
        exec: () => undefined,
        close: () => undefined,
        prepare: (sql) => {
          texts.push(sql);
          return driver.prepare(sql);
        },
      };
      prepareDeliveries(listening, "abc");
      new EventCopies({ driver: listening, epoch: "abc", log: emptyLog });
      expect(texts.length).toBeGreaterThan(10);
      for (const text of texts) {
        // As many values as it names, or has marks.
        const marks = text.match(/\?\d?/g) ?? [];
        const values = (text.includes("?1") ? [...new Set(marks)] : marks).map(() => "1");
        const plan = JSON.stringify(driver.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...values));
        expect(plan, text).not.toMatch(/SCAN (d|deliveries|e|l|events|delivery_events)\b/);
        if (/ORDER BY deliveries\.due_at|ORDER BY due_at/.test(text)) {
          expect(plan, text).toContain("USING INDEX deliveries_due");
          expect(plan, text).not.toContain("TEMP B-TREE");
        }
      }
    } finally {
      driver.close();
    }
  });
});

const emptyLog = { trimmedThrough: 0, head: 0, eventsPerLook: 1 };
