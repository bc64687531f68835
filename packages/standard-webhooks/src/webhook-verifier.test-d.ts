import { describe, expectTypeOf, it } from "vitest";
import type { EventVocabulary, WebhookEvent } from "./webhook-event.ts";
import { WebhookVerifier } from "./webhook-verifier.ts";

interface CatalogEvents {
  readonly "model.added": { readonly model: string };
  readonly "model.deleted": { readonly id: number };
}
declare const events: EventVocabulary<CatalogEvents>;
declare const keys: string;

describe("the types of a verifier", () => {
  it("come from the vocabulary, or from a plain interface", () => {
    for (const verifier of [new WebhookVerifier({ keys, events }), new WebhookVerifier<CatalogEvents>({ keys })]) {
      verifier.receive((event) => {
        expectTypeOf(event.isDuplicate).toEqualTypeOf<boolean>();
        if (event.type === "model.added") expectTypeOf(event.data).toEqualTypeOf<{ readonly model: string }>();
        if (event.type === "model.deleted") expectTypeOf(event.data.id).toEqualTypeOf<number>();
        if (event.type === "client.gap") expectTypeOf(event.data.through).toEqualTypeOf<string>();
        // @ts-expect-error: no such type in the vocabulary
        if (event.type === "modle.added") return;
      });
    }
  });

  it("are open without one", async () => {
    const event = await new WebhookVerifier({ keys }).verify(new Request("http://localhost"));
    expectTypeOf(event).toExtend<WebhookEvent>();
    expectTypeOf(event.type).toEqualTypeOf<string>();
  });

  it("know nothing of bare data", async () => {
    const data = await new WebhookVerifier({ keys, payload: "data" }).verify(new Request("http://localhost"));
    expectTypeOf(data).toEqualTypeOf<{ readonly id: string; readonly data: unknown; readonly sentAt: number }>();
  });
});
