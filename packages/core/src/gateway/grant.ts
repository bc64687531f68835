import { InvalidOptionError, StarcastError, describe } from "../errors.ts";
import type { Filter } from "../pump/filter.ts";
import { compileFilter } from "../pump/filter.ts";
import type { Visitor } from "./visitor.ts";

/** What a client may have. What it asks for beyond is never sent, on replay either. */
export interface Grant {
  /** Who it is for: connections are counted per identity. Null for somebody unknown. */
  readonly identity: string | null;
  /** Type patterns it may receive. @default everything */
  readonly types?: readonly string[] | undefined;
  /** Subjects, or prefixes ending in `*`, it may receive. @default everything */
  readonly subjects?: readonly string[] | undefined;
  /** How far back it may resume, in events. @default the gateway's `maxReplayEvents` */
  readonly replayEvents?: number | undefined;
  /** When it ends, in milliseconds since the Unix epoch. @default never */
  readonly expiresAt?: number | undefined;
}

/** Judges who comes in; null refuses. Called before anything is answered. */
export type Authorize = (visitor: Visitor) => Grant | null | Promise<Grant | null>;

/** Lets everybody receive everything: for public streams and development. */
export const allowAnyone: Authorize = () => anyone;

/** The part of a grant that filters events. */
export function grantedFilter({ types, subjects }: Grant): Filter {
  return { types, subjects };
}

/** The grant as it is; throws `invalid_option` or `invalid_filter` when `authorize` returned something else. */
export function checkGrant(grant: unknown): Grant {
  // Everybody's own copy of it would cost every connection.
  if (grant === anyone) return anyone;
  if (typeof grant !== "object" || grant === null) {
    throw new StarcastError(
      "invalid_option",
      `Expected \`authorize\` to return a grant { identity, ... } or null, got ${describe(grant)}`,
    );
  }
  const { identity, types, subjects, replayEvents, expiresAt }: Partial<Record<keyof Grant, unknown>> = grant;
  if (
    identity !== null &&
    (typeof identity !== "string" || identity.length === 0 || identity.length > maxIdentityLength)
  ) {
    throw new InvalidOptionError({
      option: "grant.identity",
      expected: `null or 1 to ${maxIdentityLength} characters`,
      received: identity,
    });
  }
  if (
    replayEvents !== undefined &&
    replayEvents !== Infinity &&
    !(Number.isSafeInteger(replayEvents) && Number(replayEvents) >= 0)
  ) {
    throw new InvalidOptionError({
      option: "grant.replayEvents",
      expected: "an integer of at least 0, or Infinity",
      received: replayEvents,
    });
  }
  // A JWT's `exp` is in seconds; taken as milliseconds it would end every connection at once.
  if (expiresAt !== undefined && (typeof expiresAt !== "number" || !(expiresAt >= earliestPlausibleMs))) {
    throw new InvalidOptionError({
      option: "grant.expiresAt",
      expected: "milliseconds since the Unix epoch (a JWT's `exp` is in seconds: multiply by 1,000)",
      received: expiresAt,
    });
  }
  // A boundary: compiling checks the patterns.
  const filter = { types, subjects } as Filter;
  compileFilter(filter);
  return { identity, ...filter, replayEvents: replayEvents as number | undefined, expiresAt };
}

/** Longest identity, in characters. */
export const maxIdentityLength = 256;

const earliestPlausibleMs = 100_000_000_000;

const anyone: Grant = Object.freeze({ identity: null });
