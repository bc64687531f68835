/** A JSON text as a value that nobody can change. */
export function parseFrozen(text: string): unknown {
  const value: unknown = JSON.parse(text);
  // Iterative: JSON.parse reads deeper than a recursive walk could follow.
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== "object" || next === null) continue;
    Object.freeze(next);
    for (const child of Object.values(next)) if (typeof child === "object" && child !== null) waiting.push(child);
  }
  return value;
}
