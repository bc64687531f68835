import { StarcastError, describe } from "@starcast/core";
import { entryKind } from "./entry-kind.ts";
import type { EntryKind } from "./entry-kind.ts";

/** One provider's offer of an AI model. What a catalog says of it beyond its two names is its own affair. */
export interface Model {
  /** Unique within the provider; may hold slashes. */
  readonly id: string;
  /** Holds no slash, so that `provider/id` names one model. */
  readonly provider: string;
  readonly name?: string | undefined;
  readonly [field: string]: unknown;
}

/** Models, told apart by `provider/id`: the first kind of entry. */
export const models: EntryKind<"model", Model> = entryKind("model", keyOfModel);

/** `provider/id`; throws `invalid_data` for what is no model. */
export function keyOfModel(model: Model): string {
  const { provider, id }: { provider: unknown; id: unknown } = model;
  if (typeof provider !== "string" || provider === "" || provider.includes("/")) {
    throw new StarcastError(
      "invalid_data",
      `Expected \`provider\` of a model to be text without a slash, got ${describe(provider)}`,
    );
  }
  if (typeof id !== "string" || id === "") {
    throw new StarcastError(
      "invalid_data",
      `Expected \`id\` of a model of ${describe(provider)} to be text, got ${describe(id)}`,
    );
  }
  return `${provider}/${id}`;
}
