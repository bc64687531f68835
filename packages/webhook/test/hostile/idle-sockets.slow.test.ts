import { expect, it } from "vitest";
import { idleSocketMs } from "../../src/http-sender.ts";
import { house, listeningRaw } from "../house.ts";

it("a connection that nobody needs is closed within seconds, whatever the receiver offers", async () => {
  let closedAt: number | null = null;
  const to = await listeningRaw({
    onConnection: (socket) => socket.on("close", () => (closedAt = performance.now())),
    onRequest: (socket) => socket.write("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=600\r\nContent-Length: 2\r\n\r\nok"),
  });
  const at = house({ allow: [to.origin] });
  await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
  await at.broker.publish("a.b", 1);
  await at.seen("webhookAttempted");
  const idleSince = performance.now();
  await to.allClosed();
  // The client's timers are as exact as a second.
  expect((closedAt ?? Infinity) - idleSince).toBeLessThan(idleSocketMs + 4_000);
});
