import { Broker } from "@starcast/core";
import { describe, expect, expectTypeOf, it } from "vitest";
import { catalogEvents, defineCatalogEvents } from "./catalog-events.ts";
import { entryKind } from "./entry-kind.ts";
import type { Model } from "./model.ts";

const gpt: Model = { provider: "openai", id: "gpt/6" };

describe("the vocabulary of a catalog", () => {
  it("holds the five types by their classic names", () => {
    expect(catalogEvents.types).toEqual([
      "model.added",
      "model.updated",
      "model.deleted",
      "sync.started",
      "sync.completed",
    ]);
  });

  it("knows what each event is about, and what is left of it", () => {
    for (const type of ["model.added", "model.updated"]) {
      expect(catalogEvents.subjectOf(type, { model: gpt })).toBe("openai/gpt/6");
      expect(catalogEvents.stateOf(type, { model: gpt })).toBe(gpt);
    }
    expect(catalogEvents.subjectOf("model.deleted", { model: gpt })).toBe("openai/gpt/6");
    expect(catalogEvents.hasState("model.deleted")).toBe(true);
    expect(catalogEvents.stateOf("model.deleted", { model: gpt })).toBeUndefined();
    expect(catalogEvents.hasState("sync.completed")).toBe(false);
  });

  it("types a broker: events narrow, and what is not of it does not compile", async () => {
    const broker = new Broker({ events: catalogEvents, observe: [] });
    broker.subscribe(
      (event) => {
        if (event.type === "model.updated")
          expectTypeOf(event.data.changes[0]?.path).toEqualTypeOf<string | undefined>();
        if (event.type === "model.deleted") expectTypeOf(event.data.model).toEqualTypeOf<Model>();
      },
      { types: ["model.*"] },
    );
    await broker.publish("model.added", { model: gpt });
    // @ts-expect-error a model needs an id
    await expect(broker.publish("model.added", { model: { provider: "openai" } })).rejects.toThrow(/`id` of a model/);
    // @ts-expect-error no such type
    await expect(broker.publish("modle.added", { model: gpt })).rejects.toMatchObject({ code: "invalid_event_type" });
    await broker.close();
  });

  it("is made for any other kind of entry", async () => {
    const shopEvents = defineCatalogEvents(
      entryKind("shop", (shop: { id: string; town: string }) => `${shop.town}:${shop.id}`),
    );
    expect(shopEvents.types).toContain("shop.updated");
    expect(shopEvents.subjectOf("shop.added", { shop: { id: "7", town: "Bonn" } })).toBe("Bonn:7");
    const broker = new Broker({ events: shopEvents, observe: [] });
    await broker.publish("shop.deleted", { shop: { id: "7", town: "Bonn" } });
    // @ts-expect-error a shop is no model
    const refused = broker.publish("model.deleted", { shop: { id: "7", town: "Bonn" } });
    await expect(refused).rejects.toMatchObject({ code: "invalid_event_type" });
    await broker.close();
  });

  it.each(["", "a.b", "previous", "changes"])("refuses %j as a noun", (noun) => {
    expect(() => entryKind(noun)).toThrow(/`noun`/);
  });
});
