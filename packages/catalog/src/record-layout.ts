/** Records of a catalog aim at this size: small enough for every engine, large enough that a catalog is tens of them. */
export const recordBytes = 32_768;

/**
 * Into how many buckets a catalog of this size goes. Keeps the present number until buckets would be more than twice as
 * large as they should be, or eight times too small: another number means that every bucket is written anew.
 */
export function bucketCountFor(catalogBytes: number, present: number): number {
  const ideal = 2 ** Math.ceil(Math.log2(Math.max(1, catalogBytes / recordBytes)));
  if (present > 0 && ideal <= present * 2 && ideal * 8 > present) return present;
  return ideal;
}

/** The bucket an entry is in: a matter of its key alone, so that a changed entry rewrites one record. FNV-1a. */
export function bucketOf(key: string, count: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % count;
}

/** Consecutive items in lists of about `recordBytes` of JSON text; an item larger than that is alone. */
export function splitIntoRecords(items: readonly unknown[]): readonly string[] {
  const records: string[] = [];
  let texts: string[] = [];
  let length = 0;
  const close = (): void => {
    if (texts.length > 0) records.push(`[${texts.join(",")}]`);
    texts = [];
    length = 0;
  };
  for (const item of items) {
    const text = JSON.stringify(item);
    if (length + text.length > recordBytes) close();
    texts.push(text);
    length += text.length;
  }
  close();
  return records;
}
