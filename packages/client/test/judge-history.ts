import type { ClientEvent, ClientGap } from "@starcast/client";

export type Told = { readonly event?: ClientEvent; readonly gap?: ClientGap };

/**
 * What is wrong with what a client was told, as long as nothing but numbers is published: each number once and in order,
 * and in place of those that are missing a gap with exactly their ends. Empty: nothing.
 */
export function judgeHistory(told: readonly Told[]): readonly string[] {
  const faults: string[] = [];
  let place: { readonly epoch: string; readonly offset: number } | null = null;
  const read = (id: string): { readonly epoch: string; readonly offset: number } => {
    const [epoch = "", offset] = id.split("-");
    return { epoch, offset: Number(offset) };
  };
  for (const { event, gap } of told) {
    if (gap !== undefined) {
      if (place !== null && gap.after !== `${place.epoch}-${place.offset}`)
        faults.push(`a gap after ${gap.after}, told at ${place.epoch}-${place.offset}`);
      place = read(gap.through);
    }
    if (event === undefined) continue;
    const at = read(event.id);
    if (place !== null && (at.epoch !== place.epoch || at.offset !== place.offset + 1))
      faults.push(`${event.id} after ${place.epoch}-${place.offset}`);
    place = at;
  }
  return faults;
}
