import type { MqttPublisherOptions } from "@starcast/mqtt";
import type { WebhookDispatcherOptions } from "@starcast/webhook";

/** Outages here last seconds and are somebody's wish: nobody wants to wait for the patience that the open network needs. */
export const quickMqtt: Pick<MqttPublisherOptions, "connection"> = {
  connection: { backOff: { minMs: 50, maxMs: 500 } },
};

/**
 * A try every second or so, for some minutes, and no rest for an endpoint that fails: on the open network the defaults are
 * the better neighbour.
 */
export const localWebhooks: Pick<WebhookDispatcherOptions, "scheduleMs" | "health"> = {
  scheduleMs: [0, 100, 250, 500, ...Array.from({ length: 96 }, () => 1_500)],
  health: { breakerMinAttempts: Infinity },
};
