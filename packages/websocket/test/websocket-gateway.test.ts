import { describe, expect, it } from "vitest";
import { Client } from "./client.ts";
import { openHouse } from "./listen.ts";

describe("a client of a WebSocketGateway", () => {
  it("is greeted first, then gets what is published, in order", async () => {
    const { broker, url } = await openHouse();
    const client = new Client(url);
    const { data } = await client.frame("client.connected");
    expect(client.frames).toHaveLength(1);
    expect(data).toMatchObject({ resumed: false, heartbeatMs: 25_000 });
    for (let n = 1; n <= 50; n += 1) await broker.publish("model.added", { n });
    const events = await client.eventCount(50);
    expect(events.map((event) => event.data)).toEqual(Array.from({ length: 50 }, (_, index) => ({ n: index + 1 })));
  });
});
