/** Any text as a key that NATS takes: letters, digits, `_` and `-` as they are, every other byte as `=XX`. Injective. */
export function toKey(text: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(text)) return text;
  let key = "";
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    key += /[A-Za-z0-9_-]/.test(character) ? character : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  // A subject has no empty parts.
  return key === "" ? "=" : key;
}

/** What `toKey` was given. */
export function fromKey(key: string): string {
  if (!key.includes("=")) return key;
  const bytes = key.match(/=[0-9A-F]{2}|[^=]/g) ?? [];
  const values = bytes.map((each) => (each.length === 3 ? Number.parseInt(each.slice(1), 16) : each.charCodeAt(0)));
  return new TextDecoder().decode(new Uint8Array(values));
}
