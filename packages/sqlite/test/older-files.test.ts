import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { all, houseOfFiles, numbersOf, type House } from "./house.ts";

const house = houseOfFiles();
// As the sqlite3 shell dumped files that these versions wrote.
const versionTwo = readFileSync(new URL("version-2.sql", import.meta.url), "utf8");
const versionFive = readFileSync(new URL("version-5.sql", import.meta.url), "utf8");

async function openFile(rooms: House, sql: string, version: number, maxFinished?: number) {
  await rooms.edit((driver) =>
    driver.exec(`${sql}; PRAGMA application_id = ${0x53746172}; PRAGMA user_version = ${version}`),
  );
  return rooms.open({ maxFinished });
}

describe.each([
  ["1", versionTwo.replace(/CREATE INDEX deliveries_attempting[^;]*;/, ""), "m0izyamp"],
  ["2", versionTwo, "m0izyamp"],
  ["5", versionFive, "0xa7qjbr"],
])("a file of version %s", (version, sql, epoch) => {
  it("is brought up to date with everything in it", async () => {
    const rooms = house();
    const { log, checkpoints, deliveries, records } = await openFile(rooms, sql, Number(version));
    expect(numbersOf(await log.read(0, all))).toEqual([{ number: 1 }, { number: 2 }, "ü"]);
    expect(await checkpoints.load("webhooks")).toEqual({ epoch, offset: 3 });
    expect(await records.get("endpoint/a")).toMatchObject({ value: "{}" });
    const { deliveries: found } = await deliveries.list({}, { limit: 10 });
    expect(found.map(({ endpointId, event, orderKey, state }) => [endpointId, event.id, orderKey, state.kind])).toEqual(
      [
        ["b", `${epoch}-3`, undefined, "pending"],
        ["b", `${epoch}-2`, "model/2", "pending"],
        ["b", `${epoch}-1`, "model/1", "dead"],
        ["a", `${epoch}-3`, undefined, "pending"],
        ["a", `${epoch}-2`, "model/2", "pending"],
        ["a", `${epoch}-1`, "model/1", "succeeded"],
      ],
    );
    // What was being tried is due at once; what is retried, a day later.
    const now = Date.UTC(2026, 10, 1, 1);
    const claims = await deliveries.claimDue({ now, limit: 10, perEndpoint: () => 10, leaseMs: 1_000 });
    expect(claims.map(({ delivery: { endpointId, event } }) => `${endpointId} ${event.id}`).toSorted()).toEqual([
      `a ${epoch}-3`,
      `b ${epoch}-2`,
      `b ${epoch}-3`,
    ]);
    expect(await deliveries.backlog("a")).toMatchObject({ pending: 1, attempting: 1, dead: 0 });
    expect(await deliveries.backlog("b")).toMatchObject({ pending: 0, attempting: 2, dead: 1 });
  });

  it("has its finished deliveries counted, so that they are bounded from now on", async () => {
    const rooms = house();
    const { deliveries } = await openFile(rooms, sql, Number(version), 1);
    const attempt = { at: 1, tookMs: 1, category: "ok", status: 200, answer: null };
    const claims = await deliveries.claimDue({
      now: Date.UTC(2026, 10, 1, 1),
      limit: 10,
      perEndpoint: () => 10,
      leaseMs: 1_000,
    });
    // In this order, whether or not a millisecond passes between two of them: the last is the one to stay.
    for (const endpointId of ["a", "b"])
      for (const number of [1, 2, 3]) {
        const claim = claims.find(
          ({ delivery: { endpointId: id, event } }) => id === endpointId && event.id === `${epoch}-${number}`,
        );
        if (claim !== undefined) await deliveries.succeed(claim, attempt);
      }
    const { deliveries: finished } = await deliveries.list({ states: ["succeeded", "dead"] }, { limit: 10 });
    expect(finished.map(({ endpointId, event, state }) => [endpointId, event.id, state.kind])).toEqual([
      ["b", `${epoch}-3`, "succeeded"],
      ["b", `${epoch}-1`, "dead"],
    ]);
  });
});
