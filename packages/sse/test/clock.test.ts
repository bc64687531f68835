import { expect, it } from "vitest";
import { RawConversation } from "./raw-conversation.ts";
import { serveGateway } from "./served-gateway.ts";

const hoursMs = 6 * 3_600_000;

// Whatever waits for a time of day would then wait for hours.
it("a clock that is set back by hours neither silences heartbeats nor lengthens grants", async () => {
  const served = await serveGateway({
    sse: {
      heartbeatMs: 1_000,
      tokenGraceMs: 0,
      authorize: () => ({ identity: "ann", expiresAt: Date.now() + 1_500 }),
    },
  });
  const conversation = await RawConversation.open(served.port);
  conversation.say("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await served.seen("clientConnected");
  served.skip(-hoursMs);
  await conversation.until("\r\n:\n\n");
  expect(await served.seen("clientClosed")).toMatchObject({ reason: "unauthorized" });
  expect(served.gateway.connectionCount).toBe(0);
});
