import { snapshot, utf8Length, type EventDraft } from "@starcast/core";

/** A draft as the broker makes it: checked facts, data as JSON text, its size. */
export function draft(
  data: unknown = null,
  options: { readonly type?: string; readonly subject?: string; readonly dedupeKey?: string } = {},
): EventDraft {
  const { type = "test.happened", subject, dedupeKey } = options;
  const json = snapshot(type, data);
  return {
    type,
    subject,
    json,
    sizeBytes: type.length + utf8Length(json) + (subject === undefined ? 0 : utf8Length(subject)),
    dedupeKey,
  };
}

/** So many drafts, numbered in their data. */
export function drafts(count: number, first = 1): readonly EventDraft[] {
  return Array.from({ length: count }, (_, index) => draft({ number: first + index }));
}
