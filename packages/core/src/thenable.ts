/** True for promises of any kind. Reading `then` of a hostile object may throw. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Tells when a promise that nobody awaits rejects: an `async` callback must not end the process. Never throws. */
export function watchRejection(value: unknown, onRejected: (error: unknown) => void): void {
  try {
    if (isThenable(value)) Promise.resolve(value).catch(onRejected);
  } catch (error) {
    onRejected(error);
  }
}
