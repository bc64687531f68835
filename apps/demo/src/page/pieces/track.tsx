import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { count } from "../words/format.ts";
import type { Tone } from "../words/transports.ts";

/** Dots on one track at a time. */
const maxDots = 5;

const crossMs = 900;

export interface TrackProps {
  /** The newest place that has been reached: when it moves, something passes. */
  readonly reached: number;
  readonly waiting?: number;
  readonly tone?: Tone;
  readonly label: string;
}

/** A way that events take: a dot for what passes, a number for what waits. */
export function Track({ reached, waiting = 0, tone = "good", label }: TrackProps): VNode {
  const last = useRef(reached);
  const [dots, setDots] = useState<readonly number[]>([]);
  useEffect(() => {
    const passed = reached - last.current;
    last.current = reached;
    if (passed <= 0) return;
    // One for a few, more for many: a hint, not a count.
    const fresh = Array.from({ length: Math.min(3, Math.ceil(passed / 20)) }, (_, index) => reached + index / 10);
    setDots((known) => [...known, ...fresh].slice(-maxDots));
    setTimeout(() => setDots((known) => known.filter((dot) => !fresh.includes(dot))), crossMs + 250);
  }, [reached]);
  return (
    <div class={`track ${tone}`} role="img" aria-label={waiting > 0 ? `${label}: ${waiting} waiting` : label}>
      {dots.map((dot) => (
        <span key={dot} class="dot" style={{ animationDelay: `${Math.round((dot % 1) * 1_000)}ms` }} />
      ))}
      {waiting > 0 && <span class="waiting">{count(waiting)} waiting</span>}
    </div>
  );
}
