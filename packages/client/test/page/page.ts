import type { ClientEvent, ClientGap, ClientState, ConnectOptions } from "@starcast/client";
import { connect, connectTabs, localStoragePositions } from "@starcast/client/browser";
import { hurried } from "./hurried.ts";

/** What a test asks of a page; everything it can be written as JSON. */
export interface PageOptions extends Pick<ConnectOptions, "transport" | "types" | "after" | "maxBufferedEvents"> {
  readonly tabs?: boolean;
  /** Also by a loop, which takes what `page.take` says. */
  readonly loop?: boolean;
  readonly isSaved?: boolean;
  /** Timers run so many times as fast; those between two tries only, unless `areAllTimersFast`. */
  readonly pace?: number;
  readonly areAllTimersFast?: boolean;
  /** Tokens given one after the other, the last one for ever. */
  readonly tokens?: readonly string[];
}

const told: { readonly event?: ClientEvent; readonly gap?: ClientGap }[] = [];
const states: ClientState[] = [];
const tokenReasons: string[] = [];
let loop: AsyncIterator<ClientEvent> | undefined;
let close: () => Promise<void> = () => Promise.resolve();

function follow({
  tabs,
  isSaved,
  pace = 1,
  areAllTimersFast = false,
  tokens,
  loop: isLooped,
  ...options
}: PageOptions): void {
  let asked = 0;
  const all: ConnectOptions = {
    ...options,
    url: "/events",
    positions: isSaved === true ? localStoragePositions() : undefined,
    getToken:
      tokens &&
      ((reason) => {
        tokenReasons.push(reason);
        return tokens[Math.min(asked++, tokens.length - 1)] ?? null;
      }),
    runtime: { surroundings: hurried(pace, areAllTimersFast) },
  };
  const client = tabs === true ? connectTabs(all) : connect(all);
  client.on("**", (event) => void told.push({ event }));
  client.on("gap", (gap) => void told.push({ gap }));
  client.on("state", (state) => void states.push(state));
  if (isLooped === true) loop = client[Symbol.asyncIterator]();
  close = () => client.close();
}

async function take(count: number): Promise<{ readonly event: ClientEvent }[]> {
  const taken: { readonly event: ClientEvent }[] = [];
  while (taken.length < count) {
    const next = await loop?.next();
    if (next === undefined || next.done === true) break;
    taken.push({ event: next.value });
  }
  return taken;
}

Object.assign(globalThis, {
  page: {
    follow,
    take,
    told,
    states,
    tokenReasons,
    last: () => told.at(-1)?.event?.id ?? told.at(-1)?.gap?.through ?? null,
    kind: () => states.at(-1)?.kind,
    close: () => close(),
  },
});
