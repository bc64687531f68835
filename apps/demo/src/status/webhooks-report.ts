import type { Delivery } from "@starcast/core";
import type { WebhookDispatcher } from "@starcast/webhook";
import type { EndpointReport } from "./report.ts";

/** Deliveries that are shown of an endpoint. */
const shown = 4;

/** A side of webhooks, as the report needs it. */
export interface ReportedEndpoint {
  readonly id: string;
  readonly about: string;
  readonly maxAttempts: number;
  readonly side: { readonly isUp: boolean; readonly dispatcher: WebhookDispatcher };
}

/** How the endpoint is, what it still gets, and what it did not. */
export async function reportEndpoint({ id, about, maxAttempts, side }: ReportedEndpoint): Promise<EndpointReport> {
  const { dispatcher, isUp } = side;
  const [endpoint, backlog, unfinished, dead] = await Promise.all([
    dispatcher.endpoints.get(id),
    dispatcher.deliveries.backlog(id),
    dispatcher.deliveries.list({ endpointId: id, states: ["pending", "attempting"] }, { limit: 50 }),
    dispatcher.deadLetters.list({ endpointId: id }, { limit: shown }),
  ]);
  const waiting = unfinished.deliveries.filter(({ attemptCount }) => attemptCount > 0).slice(0, shown);
  return {
    id,
    about,
    maxAttempts,
    isUp,
    url: endpoint?.url ?? "",
    state: endpoint?.state.kind ?? "disabled",
    ordering: endpoint?.ordering ?? "none",
    keyLabels: endpoint?.keyLabels ?? [],
    pending: backlog.pending,
    attempting: backlog.attempting,
    dead: backlog.dead,
    waiting: waiting.map((delivery) => ({
      ...named(delivery),
      category: delivery.attempts.at(-1)?.category ?? "",
      dueAt: delivery.state.kind === "pending" ? delivery.state.dueAt : null,
    })),
    deadLetters: dead.deliveries.map((delivery) => ({
      ...named(delivery),
      reason: delivery.attempts.at(-1)?.category ?? "",
    })),
  };
}

function named({ event, attemptCount }: Delivery): {
  readonly eventId: string;
  readonly subject: string;
  readonly attempts: number;
} {
  return { eventId: event.id, subject: event.subject ?? event.type, attempts: attemptCount };
}
