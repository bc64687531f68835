import { formatPosition } from "@starcast/core";
import type { Position } from "@starcast/core";
import type { DemoOptions } from "../demo-options.ts";

/** Says where everything is. */
export function greeting(
  { token, mqttUrl: given, durable }: DemoOptions,
  here: { readonly origin: string; readonly mqttUrl: string; readonly position: Position },
): string {
  const lines = [
    `Starcast is at ${here.origin}/${token === null ? "" : `?token=${token}`}   (Ctrl-C ends it)`,
    `MQTT: catalog/events/# ${given === null ? `at ${here.mqttUrl}` : "at your MQTT broker"}`,
  ];
  if (durable !== null) lines.push(`Kept in ${durable}; goes on after ${formatPosition(here.position)}.`);
  return lines.join("\n");
}
