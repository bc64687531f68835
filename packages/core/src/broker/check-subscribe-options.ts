import { InvalidOptionError } from "../errors.ts";
import { checkKeys, checkObject, integer } from "../option-checks.ts";
import type { SubscribeOptions } from "./subscription.ts";

/** Longest name of a subscription, in characters: engines keep it as a key. */
export const maxNameLength = 256;

/** Throws `invalid_option` for what is wrong with them, the filter aside. */
export function checkSubscribeOptions(options: SubscribeOptions): void {
  checkKeys("SubscribeOptions", options, knownKeys);
  const { name, from, maxReplayEvents, onGap } = options;
  if (name !== undefined && !isName(name)) {
    throw new InvalidOptionError({ option: "name", expected: `1 to ${maxNameLength} characters`, received: name });
  }
  if (from !== undefined && !isStartingPoint(from)) {
    throw new InvalidOptionError({
      option: "from",
      expected: '"earliest", "latest" or a position { epoch, offset } (of an id: `requirePosition(id)`)',
      received: from,
    });
  }
  integer("maxReplayEvents", maxReplayEvents, Infinity, { min: 0, max: Infinity });
  if (onGap !== undefined && typeof onGap !== "function") {
    throw new InvalidOptionError({ option: "onGap", expected: "a function", received: onGap });
  }
}

/** The options themselves, before anything is read of them; throws `invalid_option` for none, and for a signal that is none. */
export function requireObject<Options extends object>(options: Options): Options {
  checkObject("SubscribeOptions", options);
  const signal: unknown = "signal" in options ? options.signal : undefined;
  if (signal === undefined || isSignal(signal)) return options;
  throw new InvalidOptionError({ option: "signal", expected: "an AbortSignal", received: signal });
}

/** Those of `run`: misspelt, its signal would never end it. */
export function requireRunOptions<Options extends object>(options: Options): Options {
  return requireObject(checkKeys("RunOptions", options, ["signal"]));
}

// Not by its class: one of another realm, as tests of pages have, is as good.
function isSignal(signal: unknown): boolean {
  return typeof signal === "object" && signal !== null && "aborted" in signal && "addEventListener" in signal;
}

const knownKeys = ["types", "subjects", "within", "from", "maxReplayEvents", "name", "onGap"];

function isName(name: unknown): boolean {
  return typeof name === "string" && name.length > 0 && name.length <= maxNameLength;
}

function isStartingPoint(from: unknown): boolean {
  if (from === "earliest" || from === "latest" || from === "unreadable") return true;
  if (typeof from !== "object" || from === null || !("epoch" in from) || !("offset" in from)) return false;
  const { epoch, offset } = from;
  return typeof epoch === "string" && typeof offset === "number" && Number.isSafeInteger(offset) && offset >= 0;
}
