import type { Moment, Observer } from "@starcast/core";

/** Says what the drain of a closing broker did. */
export function farewell(write: (line: string) => void): Observer {
  const left = new Map<string, number>();
  return (moment: Moment) => {
    if (moment.kind === "drainStarted") {
      left.clear();
      write(`\nDraining: ${moment.parts} parts, ${moment.subscribers} subscribers.`);
    } else if (moment.kind === "clientClosed") {
      left.set(moment.gateway, (left.get(moment.gateway) ?? 0) + 1);
    } else if (moment.kind === "drainCompleted") {
      const clients = [...left].map(([gateway, count]) => `${count} of ${gateway}`).join(", ");
      write(`Drained in ${Math.round(moment.tookMs)} ms; clients told to come back later: ${clients || "none"}.`);
      write(moment.undone.length === 0 ? "Nothing was left undone." : `Left undone:\n  ${moment.undone.join("\n  ")}`);
    }
  };
}
