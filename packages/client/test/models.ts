import { defineEvents, event } from "@starcast/core";

export interface Model {
  readonly id: string;
  readonly n: number;
}

export const modelEvents = defineEvents({
  "model.set": event<{ readonly model: Model }>({ subject: ({ model }) => model.id, state: ({ model }) => model }),
  "model.deleted": event<{ readonly id: string }>({ subject: ({ id }) => id, state: () => undefined }),
  "number.drawn": event<{ readonly n: number }>(),
});

export type ModelEvents = {
  readonly "model.set": { readonly model: Model };
  readonly "model.deleted": { readonly id: string };
  readonly "number.drawn": { readonly n: number };
};
