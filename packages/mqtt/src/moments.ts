import type { ErrorCode, StarcastError } from "@starcast/core";

declare module "@starcast/core" {
  interface Moments {
    /** A session began. */
    mqttConnected: { readonly publisher: string; readonly url: string; readonly version: "5" | "3.1.1" };
    /** A session ended, or an attempt failed. `retryInMs` null: only other credentials can help, or the place is another process's. */
    mqttDisconnected: {
      readonly publisher: string;
      readonly url: string;
      readonly error: StarcastError;
      readonly retryInMs: number | null;
    };
    /** The MQTT broker refused a publication; it is offered again, or given up, as the error's remedy says. */
    mqttPublicationRefused: { readonly publisher: string; readonly label: string; readonly error: StarcastError };
    /** An event that will never be published; told on the status topic. */
    mqttEventLost: {
      readonly publisher: string;
      readonly id: string;
      readonly code: ErrorCode;
      readonly message: string;
    };
    /** The mirror is exactly the snapshot again. */
    mqttMirrorResynced: {
      readonly publisher: string;
      readonly written: number;
      readonly cleared: number;
      readonly unchanged: number;
    };
    /** The mirror stays stale until the next resync. */
    mqttMirrorFailed: { readonly publisher: string; readonly error: unknown };
  }
}
