import type { ReceiverState, TransportKey } from "../../status/report.ts";

/** Of each transport: its name, and who is at its end here. */
export const transports: Readonly<
  Record<TransportKey, { readonly name: string; readonly receiver: string; readonly receivers: string }>
> = {
  websocket: { name: "WebSocket", receiver: "browser or app", receivers: "browsers and apps" },
  sse: { name: "Server-Sent Events", receiver: "browser or script", receivers: "browsers and scripts" },
  mqtt: { name: "MQTT", receiver: "device", receivers: "devices" },
  webhooks: { name: "Webhooks", receiver: "partner, signed", receivers: "partners, signed" },
};

export type Tone = "good" | "busy" | "bad";

/** A state in a word, and how good it is. */
export const states: Readonly<Record<ReceiverState, { readonly word: string; readonly tone: Tone }>> = {
  live: { word: "Live", tone: "good" },
  behind: { word: "Catching up", tone: "busy" },
  reconnecting: { word: "Reconnecting", tone: "busy" },
  stalled: { word: "Not reading", tone: "bad" },
  frozen: { word: "Frozen", tone: "bad" },
  cut: { word: "Cut", tone: "bad" },
  stopped: { word: "Stopped", tone: "bad" },
};
