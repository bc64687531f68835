import { promises as dns } from "node:dns";
import { AttemptError } from "./attempt-error.ts";

/** Every address a name has, of both families. MUST stop its work when `signal` aborts. */
export type NameLookup = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/**
 * Asks the DNS servers by c-ares, never by `dns.lookup`, whose four threads four hanging names can fill. `/etc/hosts` and
 * search domains play no part. One resolver per look-up, so that each can be called off alone.
 */
export function dnsLookup(servers?: readonly string[]): NameLookup {
  return async (name, signal) => {
    const resolver = new dns.Resolver({ timeout: 1_000, tries: 2 });
    if (servers !== undefined) resolver.setServers(servers);
    const cancel = (): void => resolver.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      const families = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
      const addresses = families.flatMap((family) => (family.status === "fulfilled" ? family.value : []));
      if (addresses.length > 0) return addresses;
      throw lookupError(families.flatMap((family) => (family.status === "rejected" ? [family.reason as unknown] : [])));
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  };
}

function lookupError(causes: readonly unknown[]): AttemptError {
  const isTimeout = causes.some(
    (cause) => cause instanceof Error && "code" in cause && (cause.code === "ETIMEOUT" || cause.code === "ECANCELLED"),
  );
  return new AttemptError(
    isTimeout ? "dns_timed_out" : "dns_failed",
    `Expected the endpoint's name to have an address, got ${isTimeout ? "no answer in time" : "none"}`,
    { cause: causes[0] },
  );
}
