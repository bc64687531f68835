/** All clients of the load come from one address, at once. */
export const unlimited = {
  maxConnections: Infinity,
  maxPerAddress: Infinity,
  maxPerIdentity: Infinity,
  maxNewPerSecond: Infinity,
};
