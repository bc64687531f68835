import type { Moment, Observer } from "@starcast/core";

/** What the demo does on purpose: whoever pushed the button knows, and the page shows it. */
const expected: ReadonlySet<Moment["kind"]> = new Set<Moment["kind"]>(["mqttDisconnected", "webhookDeliveryDead"]);

/** The same observer, spared of outages that somebody here has asked for. */
export function withoutExpectedTrouble(observer: Observer): Observer {
  const spared = (moment: Moment): void => {
    if (!expected.has(moment.kind)) observer(moment);
  };
  return Object.assign(spared, { level: observer.level });
}
