import { setTimeout as wait } from "node:timers/promises";
import type { CatalogSync } from "@starcast/catalog";
import type { Position } from "@starcast/core";
import { goThrough } from "../sides/checked-transport.ts";
import type { CheckedTransport } from "../sides/checked-transport.ts";
import type { Row } from "./verdict.ts";

/** Everything has to have happened, and arrived, within this. */
const withinMs = 90_000;

/** Each outage begins when the receiver has got so many more events. */
const eventsBetweenOutages = 150;

/** Syncs of a few changes, published while one transport is away. */
const syncsWhileAway = 4;

/**
 * Publishes the whole movement of the catalog, takes every transport away in the middle of it, several times, and gives the
 * books of each when everything has arrived, or time is up.
 */
export async function checkTransports(
  broker: { readonly position: Position },
  sync: CatalogSync,
  transports: readonly CheckedTransport[],
): Promise<readonly Row[]> {
  const start = broker.position.offset;
  const outages = new Map(transports.map((transport) => [transport, [] as string[]]));
  const everything = publishThroughOutages(broker, sync, outages);
  const timeUp = new AbortController();
  await Promise.race([everything, wait(withinMs, undefined, { signal: timeUp.signal }).catch(() => undefined)]);
  timeUp.abort();
  const sent = broker.position.offset - start;
  return transports.map((transport) => {
    const { receiver, isOrdered } = transport;
    return { name: receiver.name, sent, tally: receiver.tally, isOrdered, outages: outages.get(transport) ?? [] };
  });
}

async function publishThroughOutages(
  broker: { readonly position: Position },
  sync: CatalogSync,
  outages: ReadonlyMap<CheckedTransport, string[]>,
): Promise<void> {
  const start = broker.position.offset;
  // Each transport waits for its first events, to go away right after them.
  const inTheMiddle = [...outages].map(([transport, gone]) => goThroughAll(transport, start, gone));
  await sync.sync();
  await Promise.all(inTheMiddle);
  for (const [transport, gone] of outages) {
    const [outage] = transport.outages;
    if (outage === undefined) continue;
    await outage.begin();
    for (let count = 0; count < syncsWhileAway; count += 1) await sync.sync();
    await outage.end();
    gone.push(`${outage.what} while publishing`);
  }
  const head = broker.position.offset;
  await Promise.all([...outages.keys()].map(({ receiver }) => receiver.until(({ through }) => through >= head)));
}

async function goThroughAll({ receiver, outages }: CheckedTransport, start: number, gone: string[]): Promise<void> {
  for (const [index, outage] of outages.entries()) {
    const from = start + (index + 1) * eventsBetweenOutages;
    await receiver.until(({ through }) => through >= from);
    await goThrough(outage);
    gone.push(outage.what);
  }
}
