import { isInBlock, isLoopback, isPrivate, networkKey, parseIp, type IpBlock } from "./ip-address.ts";

export interface ClientAddress {
  /** As text; null when nobody knows it. */
  readonly address: string | null;
  /** What connections are counted under; null where a count would hit everybody behind one proxy. */
  readonly countedAs: string | null;
  /** True when the peer looks like a proxy that `trustedProxies` does not name. */
  readonly isProxySuspected: boolean;
}

/**
 * Who is at the other end: the peer, or, behind trusted proxies, the nearest address in X-Forwarded-For that is not one
 * of them. What an untrusted peer writes there counts for nothing. Pure.
 */
export function clientAddress(
  peerAddress: string | null,
  forwardedFor: string | null,
  trustedProxies: readonly IpBlock[] | null,
): ClientAddress {
  const peer = peerAddress === null ? null : parseIp(withoutZone(peerAddress));
  if (peer === null) return { address: peerAddress, countedAs: null, isProxySuspected: false };
  if (trustedProxies === null) {
    const isNear = isPrivate(peer);
    // On the developer's own machine there is no proxy unless it says so.
    const isProxySuspected = isNear && (forwardedFor !== null || !isLoopback(peer));
    return { address: peerAddress, countedAs: isNear ? null : networkKey(peer), isProxySuspected };
  }
  let address = peerAddress;
  let nearest = peer;
  const hops = (forwardedFor ?? "").slice(-maxForwardedLength).split(",");
  while (hops.length > 0 && trustedProxies.some((block) => isInBlock(nearest, block))) {
    const hop = withoutPort((hops.pop() ?? "").trim());
    const parsed = parseIp(hop);
    // A trusted proxy that says nothing readable: it is the last one known.
    if (parsed === null) break;
    address = hop;
    nearest = parsed;
  }
  // A health check of the proxy itself, or one that does not forward: its clients must not share one count.
  const isProxy = trustedProxies.some((block) => isInBlock(nearest, block));
  return { address, countedAs: isProxy ? null : networkKey(nearest), isProxySuspected: false };
}

/** Of X-Forwarded-For only the end is read, which is what the proxies near us wrote. */
export const maxForwardedLength = 2_048;

function withoutZone(address: string): string {
  const at = address.indexOf("%");
  return at < 0 ? address : address.slice(0, at);
}

// Some proxies add the port: `1.2.3.4:567`, `[::1]:567`.
function withoutPort(hop: string): string {
  const match = /^\[([^\]]+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(hop);
  return match?.[1] ?? match?.[2] ?? hop;
}
