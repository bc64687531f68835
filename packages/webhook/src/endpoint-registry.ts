import { checkKeys, isSamePosition, StarcastError, type AnyBroker, type Attempt, type Position } from "@starcast/core";
import { makeKey, publicKeyOf, rotateKeys } from "@starcast/standard-webhooks";
import { tryDelivery, type AttemptTools } from "./attempt.ts";
import {
  checkKeyToSign,
  resolveEndpointOptions,
  type EndpointOptions,
  type ResolvedEndpointOptions,
} from "./endpoint-options.ts";
import type { EndpointRecords } from "./endpoint-records.ts";
import { describeEndpoint, type Endpoint, type EndpointRecord } from "./endpoint.ts";
import type { ResolvedWebhookDispatcherOptions } from "./options.ts";
import { checkEndpointUrl } from "./url-guard.ts";

/** An endpoint with what its receiver verifies with: `whsec_` keys, and the public halves of `whsk_` ones. */
export interface EndpointWithKeys extends Endpoint {
  readonly keys: readonly string[];
}

/** Which key takes over, and how long those before it stay. */
export interface RotateOptions {
  /** The key that takes over. @default a new whsec_ key */
  readonly key?: string | undefined;
  /** How long the keys before it go on signing beside it. @default 86_400_000 */
  readonly overlapMs?: number | undefined;
}

/** The endpoints of a dispatcher, as the service manages them at run time. */
export class EndpointRegistry {
  readonly #broker: AnyBroker;
  readonly #options: ResolvedWebhookDispatcherOptions;
  readonly #records: EndpointRecords;
  readonly #tools: AttemptTools;

  constructor(
    broker: AnyBroker,
    options: ResolvedWebhookDispatcherOptions,
    records: EndpointRecords,
    tools: AttemptTools,
  ) {
    this.#broker = broker;
    this.#options = options;
    this.#records = records;
    this.#tools = tools;
  }

  /** Makes the endpoint what the options say; a new one gets events from now on, a known one keeps its keys and state. */
  async put(options: EndpointOptions): Promise<EndpointWithKeys> {
    const resolved = resolveEndpointOptions(options);
    this.#check(resolved);
    // What was published before this call is not the endpoint's, even if the dispatcher has not come to it yet.
    const startsAfter = this.#broker.position;
    const { keys, ...rest } = resolved;
    let isFresh = false;
    const record = await this.#records.change(resolved.id, (known) => {
      isFresh = known === null;
      return {
        ...(known ?? this.#fresh(startsAfter)),
        ...rest,
        // What failed at another address says nothing of this one.
        ...(known?.url === rest.url ? {} : { failingSince: null }),
        keys: keys?.map((key) => ({ key })) ?? known?.keys ?? [{ key: makeKey() }],
      };
    });
    // What was published while it was being stored may have been taken in without it.
    if (isFresh && !isSamePosition(this.#broker.position, startsAfter))
      await this.#records.update(resolved.id, (known) => ({ ...known, catchUp: { after: startsAfter } }));
    return withKeys(record);
  }

  /** Null when there is none. */
  async get(id: string): Promise<Endpoint | null> {
    await this.#records.load();
    const known = this.#records.find(id);
    return known === undefined ? null : describeEndpoint(known.record);
  }

  /** By id. */
  async list(): Promise<readonly Endpoint[]> {
    await this.#records.load();
    return [...this.#records.all]
      .map(({ record }) => describeEndpoint(record))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Forgets the endpoint and its deliveries; true when there was one. */
  remove(id: string): Promise<boolean> {
    return this.#records.remove(id);
  }

  /** Its deliveries wait in the store until `unpause`; new ones join them. */
  async pause(id: string): Promise<Endpoint> {
    const at = this.#broker.surroundings.clock.now();
    return describeEndpoint(
      await this.#records.update(id, (known) =>
        known.state.kind === "active" ? { ...known, state: { kind: "paused", at } } : known,
      ),
    );
  }

  /** Starts it again. One that was turned off also gets what it missed, as far as the log still has it, or a gap. */
  async unpause(id: string): Promise<Endpoint> {
    const record = await this.#records.update(id, (known) => {
      if (known.state.kind === "active") return known;
      // What it had not yet got of what it missed before lies further back.
      const catchUp = known.catchUp ?? (known.state.kind === "disabled" ? { after: known.state.position } : null);
      return { ...known, state: { kind: "active" }, failingSince: null, catchUp };
    });
    return describeEndpoint(record);
  }

  /** A new key signs from now on; those before it sign beside it for a while, so that receivers can change over. */
  async rotate(id: string, options: RotateOptions = {}): Promise<EndpointWithKeys> {
    const { key: next = makeKey(), overlapMs } = checkKeys("rotate", options, ["key", "overlapMs"]);
    checkKeyToSign("key", next);
    const now = this.#broker.surroundings.clock.now();
    return withKeys(
      await this.#records.update(id, (known) => ({ ...known, keys: rotateKeys(known.keys, { next, overlapMs, now }) })),
    );
  }

  /** Posts a `webhook.test` event once, now, in whatever state the endpoint is; nothing of it is stored. */
  async test(id: string): Promise<Attempt> {
    await this.#records.load();
    const endpoint = this.#records.find(id);
    if (endpoint === undefined)
      throw new StarcastError("not_found", `Expected an endpoint that was put, got \`${id}\``);
    const now = this.#broker.surroundings.clock.now();
    const timestamp = new Date(now).toISOString();
    const event = {
      id: `${this.#broker.position.epoch}-test-${now}`,
      type: "webhook.test",
      subject: undefined,
      timestamp,
      json: "{}",
    };
    return (await tryDelivery(endpoint, event, this.#tools)).attempt;
  }

  #check({ url, allowHttp, format }: ResolvedEndpointOptions): void {
    checkEndpointUrl(url, { unlocked: this.#options.unlocked, ports: this.#options.ports, allowHttp });
    if (!format.startsWith("cloudevents") || this.#options.source !== null) return;
    throw new StarcastError(
      "unsupported",
      "Expected the dispatcher's `source` to be given for an endpoint that wants CloudEvents, got none",
    );
  }

  #fresh(
    startsAfter: Position,
  ): Pick<EndpointRecord, "dispatcher" | "state" | "createdAt" | "startsAfter" | "failingSince" | "catchUp"> {
    const createdAt = this.#broker.surroundings.clock.now();
    return {
      dispatcher: this.#options.name,
      state: { kind: "active" },
      createdAt,
      startsAfter,
      failingSince: null,
      catchUp: null,
    };
  }
}

async function withKeys(record: EndpointRecord): Promise<EndpointWithKeys> {
  const keys = await Promise.all(record.keys.map(({ key }) => (key.startsWith("whsk_") ? publicKeyOf(key) : key)));
  return Object.freeze({ ...describeEndpoint(record), keys });
}
