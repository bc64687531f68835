import { realSurroundings, type Scheduler } from "@starcast/core";
import { afterEach, beforeEach } from "vitest";
import { NatsServer } from "../../../tests/nats-server.ts";
import { AckedPublisher } from "../src/acked-publisher.ts";
import { Bucket } from "../src/bucket.ts";
import { NatsLink } from "../src/nats-link.ts";
import { resolveJetStreamOptions } from "../src/options.ts";

export interface Buckets {
  readonly server: NatsServer;
  readonly link: NatsLink;
  /** The one bucket there is, `kept`; made by the first who opens it. */
  open(scheduler?: Scheduler): Promise<Bucket>;
}

/** A server for each test of a suite, connected to, and closed after it. */
export function useBuckets(program: string): Buckets {
  let server: NatsServer;
  let link: NatsLink;
  let publisher: AckedPublisher;
  const timeoutMs = 15_000;
  beforeEach(async () => {
    server = await NatsServer.start(program);
    link = await NatsLink.open(resolveJetStreamOptions({ servers: server.url }));
    publisher = new AckedPublisher({
      link,
      surroundings: realSurroundings,
      maxInFlight: 256,
      timeoutMs,
      whileAway: "wait",
    });
  });
  afterEach(async () => {
    publisher.close();
    await link.close();
    await server.close();
  });
  return {
    get server() {
      return server;
    },
    get link() {
      return link;
    },
    open: (scheduler = realSurroundings.scheduler) =>
      Bucket.open({ link, scheduler, publisher, timeoutMs, name: "kept", replicas: 1 }),
  };
}
