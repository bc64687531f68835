/** Where a client says what a developer should see; one line each. */
export type Warn = (message: string, cause?: unknown) => void;

/** Lines per client; the last says that there are no more. */
export const maxWarnings = 20;

export const warnOnConsole: Warn = (message, ...cause) => {
  // oxlint-disable-next-line no-console -- A page has no other place where its developer looks.
  console.warn(`starcast: ${message}`, ...cause);
};

/** At most `maxWarnings` lines, each text once. */
export function boundedWarn(warn: Warn): Warn {
  const said = new Set<string>();
  return (message, ...cause) => {
    if (said.has(message) || said.size >= maxWarnings) return;
    said.add(message);
    warn(said.size === maxWarnings ? `${message} (no more are shown)` : message, ...cause);
  };
}
