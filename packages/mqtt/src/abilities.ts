import { StarcastError, type Random } from "@starcast/core";
import type { SessionFacts } from "./mqtt-session.ts";
import type { ResolvedMqttPublisherOptions } from "./options.ts";
import { packetIdCount } from "./packet-ids.ts";

/**
 * QoS 2 in flight over MQTT 3.1.1, where an MQTT broker cannot say how much it keeps: Mosquitto and VerneMQ keep 20 by
 * default, and Mosquitto 2.0.11 was seen to acknowledge and forget what is beyond.
 */
export const maxUntoldQos2 = 16;

/** Packet identifiers that are left for subscriptions. */
const sparePacketIds = 100;

/** How many publications may be in flight on this connection. */
export function windowLimit({ maxInFlight, rules }: ResolvedMqttPublisherOptions, facts: SessionFacts): number {
  const isUntold = facts.version === 4 && rules.some(({ qos }) => qos === 2);
  return Math.min(
    maxInFlight,
    facts.receiveMaximum,
    isUntold ? maxUntoldQos2 : Infinity,
    packetIdCount - sparePacketIds,
  );
}

/** Why the MQTT broker cannot do what the options ask for, and which option to change; null when it can. */
export function missingAbility(
  { rules, state, status }: ResolvedMqttPublisherOptions,
  facts: SessionFacts,
): StarcastError | null {
  const qos = Math.max(...rules.map((rule) => rule.qos));
  if (qos > facts.maximumQos)
    return new StarcastError(
      "unsupported",
      `Expected an MQTT broker that takes QoS ${qos} (\`qos\`), got one that takes ${facts.maximumQos} at most`,
    );
  const wanted = [
    ...(rules.some((rule) => rule.retain) ? ["`retain`"] : []),
    ...(state === null ? [] : ["`state`"]),
    ...(status === null ? [] : ["`status`"]),
  ];
  if (facts.canRetain || wanted.length === 0) return null;
  return new StarcastError(
    "unsupported",
    `Expected an MQTT broker that retains, which ${wanted.join(", ")} needs, got one that does not`,
  );
}

/** An id that no other publisher has. */
export function makeClientId(name: string, random: Random): string {
  const characters = "abcdefghijklmnopqrstuvwxyz0123456789";
  const unique = Array.from({ length: 12 }, () => characters[Math.floor(random.next() * characters.length)]).join("");
  return `starcast-${name}-${unique}`;
}
