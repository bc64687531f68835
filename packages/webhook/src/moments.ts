import type { DeadReason } from "@starcast/core";
import type { DisabledReason } from "./endpoint.ts";

declare module "@starcast/core" {
  interface Moments {
    /** One attempt, whatever became of it. */
    webhookAttempted: {
      readonly endpointId: string;
      readonly eventId: string;
      readonly attempt: number;
      readonly category: string;
      readonly status: number | null;
      readonly tookMs: number;
    };
    webhookDeliveryDead: { readonly endpointId: string; readonly eventId: string; readonly reason: DeadReason };
    /** Deliveries beyond what an endpoint's backlog holds: they are dead letters at once. */
    webhookOverflowed: { readonly count: number };
    webhookEndpointRested: { readonly endpointId: string; readonly untilMs: number };
    webhookEndpointRecovered: { readonly endpointId: string };
    webhookEndpointDisabled: { readonly endpointId: string; readonly reason: DisabledReason };
    /** A record that cannot be read, or whose secrets no key opens: its deliveries wait. */
    webhookEndpointUnreadable: { readonly endpointId: string; readonly error: unknown };
    /** What the store has due and cannot read: it is set aside, the other deliveries go on. */
    webhookDeliveryDamaged: { readonly endpointId: string; readonly error: unknown };
    /** The store refused; what was to be kept is tried again. */
    webhookStoreFailed: { readonly operation: string; readonly error: unknown };
  }
}
