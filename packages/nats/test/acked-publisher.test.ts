import { connect } from "@nats-io/transport-node";
import { realSurroundings, type StarcastError, type Surroundings } from "@starcast/core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { NatsServer } from "../../../tests/nats-server.ts";
import { describeWith } from "../../../tests/services.ts";
import { AckedPublisher, maxWaiting } from "../src/acked-publisher.ts";
import { NatsLink } from "../src/nats-link.ts";
import { PublishAnswers } from "../src/publish-answer.ts";
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
  const open = (
    whileAway: "wait" | "fail",
    maxInFlight = 256,
    timeoutMs = 15_000,
    surroundings: Surroundings = realSurroundings,
  ): AckedPublisher => {
    const publisher = new AckedPublisher({
      link,
      surroundings,
      maxInFlight,
      timeoutMs,
      whileAway,
    });
    publishers.push(publisher);
    return publisher;
  };
  const sendTo = (publisher: AckedPublisher, subject: string, text = "x") =>
    publisher.publish({ subject, payload: text, answers: new PublishAnswers(subject) });

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

  it("fails in time when the clock is set back meanwhile", async () => {
    const offset = { ms: 0 };
    const clock = { now: () => realSurroundings.clock.now() + offset.ms };
    const sending = sendTo(open("wait", 256, 300, { ...realSurroundings, clock }), "nobody");
    offset.ms = -3 * 3_600_000;
    await expect(sending).rejects.toMatchObject({ code: "connection_failed" });
  });

  it.each(["hello", "", '{"stream":"other","seq":7}', '{"stream":"other","seq":7,"duplicate":true}'])(
    "takes nobody else's answer for the stream's: `%s`",
    async (text) => {
      const other = await connect({ servers: server.url });
      other.subscribe("led", { callback: (_, message) => void message.respond(text) });
      // Who asks hears this one first: there is no stream.
      other.subscribe("unled", { callback: (_, message) => void message.respond(text) });
      await other.flush();
      const publisher = open("wait", 256, 300);
      await expect(sendTo(publisher, "unled")).rejects.toMatchObject({ code: "timed_out" });
      for (let sequence = 1; sequence <= 20; sequence += 1)
        expect(await sendTo(publisher, "led")).toEqual({ sequence, isDuplicate: false });
      await other.close();
    },
  );

  // So it may be when the leader changes: what both have applied, both acknowledge.
  it("takes a second answer to one message for that of no other", async () => {
    const other = await connect({ servers: server.url });
    let asked = 0;
    other.subscribe("led", {
      callback: (_, message) => void message.respond(JSON.stringify({ stream: "led", seq: (asked += 1) })),
    });
    await other.flush();
    const publisher = open("wait");
    for (let sequence = 1; sequence <= 50; sequence += 1)
      expect(await sendTo(publisher, "led")).toEqual({ sequence, isDuplicate: false });
    await other.close();
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

  it("says of what was never sent that it was not, when there was no room in time", async () => {
    const publisher = open("wait", 1, 300);
    await server.freeze();
    const results = await Promise.allSettled(["1", "2", "3"].map((text) => sendTo(publisher, "led", text)));
    server.thaw();
    const [sent, ...waiting] = results.map((each) => each.status === "rejected" && (each.reason as StarcastError));
    expect(sent).toMatchObject({ code: "timed_out", message: expect.stringContaining("may or may not") as string });
    for (const each of waiting)
      expect(each).toMatchObject({ code: "timed_out", message: expect.stringContaining("was not sent") as string });
  });

  // Otherwise each is published by itself, which only a benchmark would show.
  it("is offered what many are written at once with, by the client that is installed", () => {
    expect(link.connection).toHaveProperty("protocol.sendCommand", expect.any(Function));
  });

  it("refuses what is larger than the server takes", async () => {
    await expect(sendTo(open("wait"), "led", "x".repeat(65_536))).rejects.toMatchObject({
      code: "event_too_large",
      message: expect.stringContaining("max_payload") as string,
    });
  });
});
