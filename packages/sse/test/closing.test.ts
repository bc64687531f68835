import type { Grant } from "@starcast/sse";
import { expect, it } from "vitest";
import { RawConversation } from "./raw-conversation.ts";
import { serveGateway } from "./served-gateway.ts";

/** What a client is told whose judgement ends so many promises before the gateway is closed. */
async function closedAfter(promises: number, end: "gateway" | "broker"): Promise<string> {
  let judge: (grant: Grant) => void = () => undefined;
  const served = await serveGateway({ sse: { authorize: () => new Promise((resolve) => void (judge = resolve)) } });
  const conversation = await RawConversation.open(served.port);
  conversation.say("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  while (served.broker.admission.connections === 0) await new Promise(setImmediate);
  judge({ identity: null });
  for (let count = 0; count < promises; count += 1) await undefined;
  await served[end].close();
  conversation.socket.end();
  const told = await conversation.closed();
  expect([served.gateway.connectionCount, served.broker.admission.connections]).toEqual([0, 0]);
  return told;
}

// Let in by a decision from just before, it was in no list of those to be told, and was cut off at the deadline.
it.each(["gateway", "broker"] as const)("who comes in while the %s is closed is told so", async (end) => {
  const told = await Promise.all(Array.from({ length: 40 }, (_, promises) => closedAfter(promises, end)));
  for (const text of told) expect(text).toMatch(/^HTTP\/1\.1 503 |client\.closing.*"restart"/s);
  expect(told.some((text) => text.startsWith("HTTP/1.1 503"))).toBe(true);
  expect(told.some((text) => text.includes("client.closing"))).toBe(true);
});
