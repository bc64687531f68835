import { StarcastError, describe } from "@starcast/core";

/** What a Starmap manifest says of one generation of the catalog, as far as a reader needs it. */
export interface StarmapManifest {
  readonly generationId: string;
  /** RFC 3339. */
  readonly generatedAt: string;
  readonly checksum: string;
  readonly sizeBytes: number;
}

/** Throws `source_failed` for a document that is no manifest. */
export function readStarmapManifest(document: unknown): StarmapManifest {
  const generationId = textIn(document, "generation_id");
  const generatedAt = textIn(document, "generated_at");
  const payload = memberOf(document, "payload");
  const checksum = textIn(payload, "checksum");
  const sizeBytes = memberOf(payload, "size_bytes");
  if (Number.isNaN(Date.parse(generatedAt))) throw unreadable("`generated_at` to be a time", generatedAt);
  if (!/^sha256:[0-9a-f]{64}$/.test(checksum)) throw unreadable("`checksum` like sha256:<hex>", checksum);
  if (typeof sizeBytes !== "number" || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw unreadable("`size_bytes` to be a size", sizeBytes);
  }
  return { generationId, generatedAt, checksum, sizeBytes };
}

/** How a generation is called as a version: its time first, so that an older one is recognised. */
export function versionOf({ generatedAt, generationId }: StarmapManifest): string {
  return `${new Date(generatedAt).toISOString()} ${generationId}`;
}

/** Whether the manifest is the known generation, or older than it: neither is news. */
export function isKnown(manifest: StarmapManifest, known: string | null): boolean {
  if (known === null) return false;
  const space = known.indexOf(" ");
  return (
    manifest.generationId === known.slice(space + 1) ||
    Date.parse(manifest.generatedAt) < Date.parse(known.slice(0, space))
  );
}

function textIn(value: unknown, name: string): string {
  const text = memberOf(value, name);
  if (typeof text === "string" && text !== "" && text.length <= 256) return text;
  throw unreadable(`\`${name}\` to be text`, text);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
}

function unreadable(expected: string, received: unknown): StarcastError {
  return new StarcastError("source_failed", `Expected ${expected} in a Starmap manifest, got ${describe(received)}`);
}
