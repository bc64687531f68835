/** Much less than may wait for NATS: others have something to say as well. */
export const partSize = 1_000;

/** Runs for every item, so many at a time; rejects as soon as one does, and begins no other part. */
export async function inParts<Item, Result>(
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (let first = 0; first < items.length; first += partSize)
    results.push(...(await Promise.all(items.slice(first, first + partSize).map((item) => run(item)))));
  return results;
}
