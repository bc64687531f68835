interface Listenable {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

interface Page extends Partial<Listenable> {
  readonly document?: Listenable & { readonly visibilityState: string };
}

/** Who calls what when: a target that is not there, as outside a page, never does. */
export type Binding = readonly [target: Partial<Listenable> | null | undefined, type: string, listener: () => void];

/** Returns how to stop. */
export function listenTo(bindings: readonly Binding[]): () => void {
  for (const [target, type, listener] of bindings) target?.addEventListener?.(type, listener);
  return () => {
    for (const [target, type, listener] of bindings) target?.removeEventListener?.(type, listener);
  };
}

/**
 * What a page is told about itself. `woken`: the network is back, or somebody looks at it again. `hidden`: it may be
 * frozen or gone any moment.
 */
export function wakeUps(woken: () => void, hidden: () => void): readonly Binding[] {
  const page = globalThis as unknown as Page;
  const { document } = page;
  return [
    [page, "online", woken],
    // Out of the back/forward cache: the sockets were closed when it went in.
    [page, "pageshow", woken],
    [page, "pagehide", hidden],
    [document, "visibilitychange", () => (document?.visibilityState === "visible" ? woken() : hidden())],
  ];
}
