import type { StreamInfo } from "@nats-io/jetstream";
import { realSurroundings } from "@starcast/core";
import { afterEach, beforeEach, expect } from "vitest";
import { NatsServer } from "../../../tests/nats-server.ts";
import { AckedPublisher } from "../src/acked-publisher.ts";
import { Bucket, type BucketOptions } from "../src/bucket.ts";
import { NatsLink } from "../src/nats-link.ts";
import { resolveJetStreamOptions } from "../src/options.ts";

export interface Buckets {
  readonly server: NatsServer;
  readonly link: NatsLink;
  /** The one bucket there is, `kept`; made by the first who opens it. */
  open(options?: Partial<BucketOptions>): Promise<Bucket>;
  /** What JetStream says of it. */
  info(): Promise<StreamInfo>;
}

/** A server for each test of a suite, connected to, and closed after it. */
export function useBuckets(program: string, config?: string): Buckets {
  let server: NatsServer;
  let link: NatsLink;
  let publisher: AckedPublisher;
  const timeoutMs = 15_000;
  beforeEach(async () => {
    server = await NatsServer.start(program, { config });
    link = await NatsLink.open(resolveJetStreamOptions({ servers: server.url }));
    publisher = new AckedPublisher({
      link,
      surroundings: realSurroundings,
      maxInFlight: 256,
      timeoutMs,
      whileAway: "wait",
    });
  });
  const opened: Bucket[] = [];
  afterEach(async () => {
    for (const bucket of opened.splice(0)) bucket.close();
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
    open: async (options) => {
      const { scheduler } = realSurroundings;
      const onTailLost = (error: Error): void => expect.fail(error.message);
      const usual = { link, scheduler, publisher, timeoutMs, name: "kept", replicas: 1, onTailLost };
      const bucket = await Bucket.open({ ...usual, ...options });
      opened.push(bucket);
      return bucket;
    },
    info: () => link.manager.streams.info("KV_kept"),
  };
}
