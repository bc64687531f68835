import * as ws from "ws";
import { windowBits } from "./deflated-frame.ts";

/** What was agreed with a client about permessage-deflate (RFC 7692, 7). */
export interface AgreedDeflate {
  /** The value of `Sec-WebSocket-Extensions` in the answer. */
  readonly extensions: string;
  /** The client keeps nothing between messages: each has to stand for itself. */
  readonly isEachAlone: boolean;
}

/** Takes the first offer that can be kept; null when there is none, and nothing is compressed. Never throws. */
export function acceptDeflate(offers: string | undefined): AgreedDeflate | null {
  if (offers === undefined) return null;
  try {
    for (const offer of extension.parse(offers)[PerMessageDeflate.extensionName] ?? []) {
      const agreed = acceptOne(offer);
      if (agreed !== null) return agreed;
    }
  } catch {
    // Malformed: as if nothing had been offered, since an extension is never owed.
  }
  return null;
}

/** What unpacks the messages of a client that agreed: one at a time, as it keeps nothing between them either. */
export function makeInflater(maxMessageBytes: number): Inflater {
  const inflater = new PerMessageDeflate({
    isServer: true,
    clientNoContextTakeover: true,
    maxPayload: maxMessageBytes,
  });
  inflater.accept([{}]);
  return inflater;
}

export interface Inflater {
  accept(offers: readonly Offer[]): Readonly<Record<string, unknown>>;
}

type Offer = Readonly<Record<string, readonly unknown[]>>;

function acceptOne(offer: Offer): AgreedDeflate | null {
  // Said only to who asked for a bound, since not every client expects an answer to a question it did not ask.
  const serverMaxWindowBits = offer["server_max_window_bits"] === undefined ? undefined : windowBits;
  const deflate = new PerMessageDeflate({ isServer: true, clientNoContextTakeover: true, serverMaxWindowBits });
  try {
    const agreed = deflate.accept([offer]);
    return {
      extensions: extension.format({ [PerMessageDeflate.extensionName]: [agreed] }),
      isEachAlone: agreed["server_no_context_takeover"] === true,
    };
  } catch {
    // A window smaller than ours, or a parameter that is not known.
    return null;
  }
}

// `ws` exports what it negotiates with, but its published types do not know that.
const { PerMessageDeflate, extension } = ws as unknown as {
  readonly PerMessageDeflate: {
    readonly extensionName: string;
    new (options: {
      readonly isServer: true;
      readonly clientNoContextTakeover: true;
      readonly serverMaxWindowBits?: number | undefined;
      readonly maxPayload?: number;
    }): Inflater;
  };
  readonly extension: {
    parse(header: string): Readonly<Record<string, readonly Offer[] | undefined>>;
    format(extensions: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>): string;
  };
};
