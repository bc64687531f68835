import { StarcastError, describe } from "@starcast/core";
import { keyOfModel } from "../model.ts";
import type { Model } from "../model.ts";

/**
 * The models of a Starmap catalog payload, each with its provider; throws `source_failed` for a document that is none.
 * A model's own member called `provider` gives way to the provider it is listed under.
 */
export function readStarmapPayload(document: unknown): readonly Model[] {
  const providers = isMembered(document) ? document["provider_models"] : undefined;
  if (!isMembered(providers)) throw unreadable("`provider_models` to be an object", providers);
  return Object.entries(providers).flatMap(([provider, listed]) => {
    if (!Array.isArray(listed)) throw unreadable(`\`provider_models\` of ${describe(provider)} to be a list`, listed);
    return listed.map((model: unknown) => readModel(provider, model));
  });
}

function readModel(provider: string, model: unknown): Model {
  if (!isMembered(model)) throw unreadable(`every model of ${describe(provider)} to be an object`, model);
  // Checked right below: what has a provider and an id is a model.
  const read = { ...model, provider } as unknown as Model;
  keyOfModel(read);
  return read;
}

function unreadable(expected: string, received: unknown): StarcastError {
  return new StarcastError("source_failed", `Expected ${expected} in a Starmap payload, got ${describe(received)}`);
}

function isMembered(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
