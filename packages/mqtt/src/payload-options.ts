import { checkCloudEventsSource, checkKeys, InvalidOptionError, oneOf } from "@starcast/core";

/** What a publication holds: the whole event, its data only, or a CloudEvent. */
export type Payload = "envelope" | "data" | CloudEventsPayload;

export interface CloudEventsPayload {
  readonly format: "cloudevents";
  /** A URI reference: whose events these are. */
  readonly source: string;
  /** `binary` puts the attributes into user properties: needs MQTT 5, and is slower. @default "structured" */
  readonly mode?: "structured" | "binary" | undefined;
}

export type ResolvedPayload =
  | { readonly kind: "envelope" }
  | { readonly kind: "data" }
  | { readonly kind: "cloudevents-structured"; readonly source: string }
  | { readonly kind: "cloudevents-binary"; readonly source: string };

/** Complete and checked; throws `InvalidOptionError` for a format that is not known. */
export function resolvePayload(option: string, payload: Payload | undefined): ResolvedPayload {
  if (payload === undefined || payload === "envelope") return { kind: "envelope" };
  if (payload === "data") return { kind: "data" };
  if (typeof payload !== "object" || payload === null || payload.format !== "cloudevents") {
    throw new InvalidOptionError({
      option,
      expected: '"envelope", "data" or { format: "cloudevents", source, mode? }',
      received: payload,
    });
  }
  checkKeys(option, payload, ["format", "source", "mode"]);
  const mode = oneOf(`${option}.mode`, payload.mode, "structured", ["structured", "binary"]);
  return { kind: `cloudevents-${mode}`, source: checkCloudEventsSource(payload.source) };
}
