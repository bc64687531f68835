import type { Attempt, Clock, DeliveredEvent } from "@starcast/core";
import { sign } from "@starcast/standard-webhooks";
import type { LiveEndpoint } from "./endpoint.ts";
import type { HttpSender } from "./http-sender.ts";
import { readOutcome, type Answer, type Outcome } from "./outcome.ts";
import type { PayloadMaker } from "./payload.ts";
import { redact } from "./redact.ts";

/** One try that was made: what is kept of it, and what it means. */
export interface Tried {
  readonly attempt: Attempt;
  readonly outcome: Outcome;
  /** It was ended by us, and says nothing of the endpoint. */
  readonly isInterrupted: boolean;
}

export interface AttemptTools {
  readonly sender: HttpSender;
  readonly payloads: PayloadMaker;
  readonly clock: Clock;
}

/** Signs one event for one endpoint, posts it, and reads what came back. Never rejects. */
export async function tryDelivery(endpoint: LiveEndpoint, event: DeliveredEvent, tools: AttemptTools): Promise<Tried> {
  const { sender, payloads, clock } = tools;
  const { record, origin, path, isUnlocked, keys } = endpoint;
  const at = clock.now();
  let answer: Answer;
  let signature = "";
  if (!endpoint.isCallable) return refused(at);
  try {
    const payload = payloads.make(record.format, event);
    const signed = await sign({ id: event.id, timestamp: at, body: payload.body, keys, now: at });
    signature = signed["webhook-signature"];
    // Spread: `concat` of lists and single values takes four times as long.
    const headers = [
      ...endpoint.headers,
      ...payload.headers,
      "webhook-id",
      signed["webhook-id"],
      "webhook-timestamp",
      signed["webhook-timestamp"],
      "webhook-signature",
      signature,
    ];
    answer = await sender.send({
      endpointId: record.id,
      origin,
      path,
      isUnlocked,
      connections: record.concurrency,
      headers,
      body: payload.body,
    });
  } catch {
    // Every key has expired, or the event is none: deliveries wait for another key or store as for any failure.
    answer = { kind: "failed", category: "request_refused" };
  }
  const now = clock.now();
  const outcome = readOutcome(answer, now);
  return {
    attempt: {
      at,
      // Not by a clock that was set back.
      tookMs: Math.max(now - at, 0),
      category: outcome.kind === "succeeded" ? "succeeded" : outcome.category,
      status: answer.kind === "answered" ? answer.status : null,
      answer:
        answer.kind === "answered" && answer.body.length > 0
          ? redact(text.decode(answer.body), [
              signature,
              ...record.keys.map(({ key }) => key),
              ...Object.values(record.headers),
            ])
          : null,
    },
    outcome,
    isInterrupted: answer.kind === "failed" && answer.category === "interrupted",
  };
}

function refused(at: number): Tried {
  const category = "address_refused";
  return {
    attempt: { at, tookMs: 0, category, status: null, answer: null },
    outcome: readOutcome({ kind: "failed", category }, at),
    isInterrupted: false,
  };
}

const text = new TextDecoder();
