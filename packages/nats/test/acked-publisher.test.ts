import { realSurroundings } from "@starcast/core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { NatsServer } from "../../../tests/nats-server.ts";
import { describeWith } from "../../../tests/services.ts";
import { AckedPublisher, maxWaiting } from "../src/acked-publisher.ts";
import { NatsLink } from "../src/nats-link.ts";
import { resolveJetStreamOptions } from "../src/options.ts";

describeWith("nats-server", "publishing to JetStream with an acknowledgement", (program) => {
  let server: NatsServer;
  let link: NatsLink;
  const publishers: AckedPublisher[] = [];
  beforeAll(async () => {
    server = await NatsServer.start(program, { config: "max_payload: 65536" });
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    link = await NatsLink.open(resolveJetStreamOptions({ servers: server.url }));
    await link.manager.streams.add({ name: "led", subjects: ["led"] });
  });
  afterEach(async () => {
    for (const publisher of publishers.splice(0)) publisher.close();
    for await (const { config } of link.manager.streams.list()) await link.manager.streams.delete(config.name);
    await link.close();
  });
  const open = (whileAway: "wait" | "fail", maxInFlight = 256): AckedPublisher => {
    const publisher = new AckedPublisher({
      link,
      surroundings: realSurroundings,
      maxInFlight,
      timeoutMs: 15_000,
      whileAway,
    });
    publishers.push(publisher);
    return publisher;
  };
  const sendTo = (publisher: AckedPublisher, subject: string, text = "x") =>
    publisher.publish({ subject, payload: text });

  it("waits for a stream that nobody leads, and then keeps the order of the calls", async () => {
    const publisher = open("wait", 4);
    const acks = Array.from({ length: 20 }, (_, index) => sendTo(publisher, "late", String(index)));
    // Answered by nobody by the time another message is acknowledged.
    await sendTo(open("wait"), "led");
    await link.manager.streams.add({ name: "late", subjects: ["late"] });
    expect((await Promise.all(acks)).map(({ sequence }) => sequence)).toEqual(acks.map((_, index) => index + 1));
    for (const index of acks.keys()) {
      const message = await link.manager.streams.getMessage("late", { seq: index + 1 });
      expect(message?.string()).toBe(String(index));
    }
  });

  it("fails at once instead, if so asked", async () => {
    await expect(sendTo(open("fail"), "nobody")).rejects.toMatchObject({ code: "connection_failed" });
  });

  it("does not send again what a later message has overtaken", async () => {
    const publisher = open("wait");
    const first = sendTo(publisher, "nobody").catch((error: unknown) => error);
    expect((await sendTo(publisher, "led")).sequence).toBe(1);
    expect(await first).toMatchObject({ code: "connection_failed" });
  });

  it("lets a bounded number wait", async () => {
    const publisher = open("wait");
    await server.stop();
    await expect.poll(() => link.isAway).toBe(true);
    const acks = Array.from({ length: maxWaiting }, () => sendTo(publisher, "led"));
    await expect(sendTo(publisher, "led")).rejects.toMatchObject({ code: "overloaded" });
    await server.start();
    expect(await Promise.all(acks)).toHaveLength(maxWaiting);
  });

  it("refuses what is larger than the server takes", async () => {
    await expect(sendTo(open("wait"), "led", "x".repeat(65_536))).rejects.toMatchObject({
      code: "event_too_large",
      message: expect.stringContaining("max_payload") as string,
    });
  });
});
