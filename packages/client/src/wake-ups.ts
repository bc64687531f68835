interface Listenable {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

interface Page extends Partial<Listenable> {
  readonly document?: Listenable & { readonly visibilityState: string };
}

/**
 * Listens for what a page is told about itself; outside a page nothing is. `woken`: the network is back, or somebody
 * looks at it again. `hidden`: it may be frozen or gone any moment. Returns how to stop.
 */
export function listenForWakeUps(woken: () => void, hidden: () => void): () => void {
  const page = globalThis as unknown as Page;
  const { document } = page;
  const changed = (): void => (document?.visibilityState === "visible" ? woken() : hidden());
  const bindings: readonly (readonly [Partial<Listenable> | undefined, string, () => void])[] = [
    [page, "online", woken],
    // Out of the back/forward cache: the sockets were closed when it went in.
    [page, "pageshow", woken],
    [page, "pagehide", hidden],
    [document, "visibilitychange", changed],
  ];
  for (const [target, type, listener] of bindings) target?.addEventListener?.(type, listener);
  return () => {
    for (const [target, type, listener] of bindings) target?.removeEventListener?.(type, listener);
  };
}
