import type { VNode } from "preact";

export interface SparklineProps {
  readonly values: readonly number[];
  /** So many values fill the width. */
  readonly length: number;
  /** The scale reaches from here to at least `top`; left out: from the least to the greatest value. */
  readonly top?: number;
  /** What it shows, in words, for who cannot see it. */
  readonly label: string;
}

const [width, height] = [96, 24];

/** A small line of the newest values. */
export function Sparkline({ values, length, top, label }: SparklineProps): VNode {
  const least = top === undefined ? Math.min(...values) : 0;
  const greatest = Math.max(...values, top ?? -Infinity);
  const span = greatest - least || 1;
  const step = width / Math.max(1, length - 1);
  const end = (step * (values.length - 1)).toFixed(1);
  const at = (value: number): number => height - 2 - ((value - least) / span) * (height - 4);
  const points = values.map((value, index) => `${(index * step).toFixed(1)},${at(value).toFixed(1)}`);
  const line = points.join(" ");
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} preserveAspectRatio="none">
      {values.length > 1 && (
        <>
          <polygon points={`0,${height} ${line} ${end},${height}`} />
          <polyline points={line} />
        </>
      )}
    </svg>
  );
}
