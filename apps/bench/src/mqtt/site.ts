import { findService } from "../../../../tests/find-service.ts";
import { Mosquitto } from "../../../../tests/mosquitto.ts";
import { data, type } from "../model-update.ts";

/** A real Mosquitto, on a free port, that takes what it is given and has nobody to give it to. */
export async function startMosquitto(): Promise<Mosquitto> {
  // Without a limit of its own, so that every contender has the window it asks for.
  return Mosquitto.start(find("mosquitto"), [
    "max_inflight_messages 0",
    "max_queued_messages 0",
    "set_tcp_nodelay true",
  ]);
}

/** An installed program; throws when it is not. */
export function find(name: "mosquitto" | "mosquitto_pub"): string {
  const path = findService(name);
  if (path === undefined) throw new Error(`Expected ${name} to be installed, found it nowhere on PATH`);
  return path;
}

/** The envelope of the nth event, as a careful publisher makes it. */
export function envelope(n: number): string {
  return JSON.stringify({ id: `bench-${n}`, type, timestamp: new Date().toISOString(), data });
}

/** Where everybody publishes it. */
export const topic = "bench/model/updated";

/** Publications of one turn of the event loop. */
export const perTurn = 100;

export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
