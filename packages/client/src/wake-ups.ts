interface Listenable {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

interface Page extends Partial<Listenable> {
  readonly document?: (Listenable & { readonly visibilityState: string }) | undefined;
}

export interface WakeUpListener {
  /** The network is back, or somebody looks at the page again. */
  woken(): void;
  /** The page may be frozen or gone any moment. */
  hidden(): void;
}

/** Listens for what a page is told about itself; outside a page nothing is. Returns how to stop. */
export function listenForWakeUps({ woken, hidden }: WakeUpListener): () => void {
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
