import { signal } from "@preact/signals";
import { transportKeys } from "../../status/report.ts";
import type { Report, TransportKey } from "../../status/report.ts";

/** Reports that the small charts show: about half a minute. */
export const historyLength = 60;

export interface History {
  readonly rates: readonly number[];
  readonly lags: readonly number[];
  readonly p99s: readonly number[];
}

const none: History = { rates: [], lags: [], p99s: [] };

/** How the demo is; null before the first word. */
export const report = signal<Report | null>(null);

/** False while the process is away. */
export const isReachable = signal(true);

export const histories = signal<Readonly<Record<TransportKey, History>>>({
  websocket: none,
  sse: none,
  mqtt: none,
  webhooks: none,
});

let sampledAt = 0;
const sampleEveryMs = 500;

/** Follows what the demo says of itself; comes back by itself. */
export function followReports(): void {
  const source = new EventSource("/status");
  source.onmessage = ({ data }: MessageEvent<string>) => {
    // The demo's own report, from the page's own origin.
    const next = JSON.parse(data) as Report;
    isReachable.value = true;
    report.value = next;
    if (Date.now() - sampledAt < sampleEveryMs) return;
    sampledAt = Date.now();
    sample(next);
  };
  source.onerror = () => {
    isReachable.value = false;
    if (source.readyState !== EventSource.CLOSED) return;
    // An answer that is no stream ends it for good: a process that is just starting gives those.
    setTimeout(followReports, 500);
  };
}

function sample(next: Report): void {
  const past = histories.value;
  const entries = transportKeys.map((key) => {
    const { perSecond, lag, p99Ms } = next.receivers[key];
    const { rates, lags, p99s } = past[key];
    return [key, { rates: keep(rates, perSecond), lags: keep(lags, lag), p99s: keep(p99s, p99Ms ?? 0) }] as const;
  });
  // Every transport has its entry.
  histories.value = Object.fromEntries(entries) as Record<TransportKey, History>;
}

function keep(past: readonly number[], value: number): readonly number[] {
  return [...past, value].slice(-historyLength);
}
