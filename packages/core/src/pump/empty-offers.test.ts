import { afterEach, describe, expect, it } from "vitest";
import { turns, until } from "../../test/fake-time.ts";
import { Broker } from "../broker/broker.ts";
import type { CloseReason, Line } from "../subscriber/subscriber.ts";
import { maxEmptyOffers } from "./hand-over.ts";

const brokers: Broker[] = [];
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
});

describe("a subscriber that is ready and takes nothing, in the same call", () => {
  it("is closed after maxEmptyOffers in a row, and its neighbour is not", async () => {
    const { broker, seen } = house();
    const { closed, offers } = stubborn(broker, () => 0);
    await broker.publish("a.b", 1);
    await until(() => closed.length > 0);
    expect([closed, offers(), broker.subscriberCount]).toEqual([["subscriber_failed"], maxEmptyOffers, 1]);
    await broker.publish("a.b", 2);
    await turns(2);
    expect(seen).toEqual([1, 2]);
  });

  it("may do so for a while: what it takes in between starts the count again", async () => {
    const { broker } = house();
    const { closed, offers } = stubborn(broker, (offer) => (offer % maxEmptyOffers === 0 ? 1 : 0));
    for (let data = 0; data < 3; data += 1) await broker.publish("a.b", data);
    await until(() => offers() >= 3 * maxEmptyOffers);
    await turns(5);
    expect([closed, broker.subscriberCount]).toEqual([[], 2]);
  });
});

function stubborn(broker: Broker, takes: (offer: number) => number) {
  let line: Line | undefined;
  let offers = 0;
  const closed: CloseReason[] = [];
  broker.attach({
    open: (opened) => void (line = opened),
    deliver: () => {
      offers += 1;
      line?.ready();
      return takes(offers);
    },
    gap: () => undefined,
    close: (reason) => void closed.push(reason),
  });
  return { closed, offers: () => offers };
}

function house() {
  const broker = new Broker({ observe: [] });
  brokers.push(broker);
  const seen: unknown[] = [];
  broker.subscribe(({ data }) => void seen.push(data));
  return { broker, seen };
}
