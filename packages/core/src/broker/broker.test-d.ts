import { expectTypeOf, test } from "vitest";
import type { Event } from "../event/event.ts";
import { defineEvents, event } from "../event/vocabulary.ts";
import { Broker } from "./broker.ts";

interface Model {
  readonly id: string;
  readonly price: number;
}

const events = defineEvents({
  "model.added": event<{ model: Model }>({ subject: ({ model }) => model.id }),
  "model.deleted": event<{ id: string }>(),
  "sync.started": event<void>(),
});

test("a broker with a vocabulary takes its types and payloads only", () => {
  const broker = new Broker({ events });
  void broker.publish("model.added", { model: { id: "x", price: 1 } });
  void broker.publish("sync.started");
  // @ts-expect-error the payload lacks its model
  void broker.publish("model.added", {});
  // @ts-expect-error a payload is needed
  void broker.publish("model.added");
  // @ts-expect-error the type is misspelt
  void broker.publish("modle.added", { model: { id: "x", price: 1 } });
  // @ts-expect-error the payload is another type's
  void broker.publishAll([{ type: "model.deleted", data: { model: { id: "x", price: 1 } } }]);
});

test("subscribers are typed by their patterns", () => {
  const broker = new Broker({ events });
  broker.subscribe((received) => expectTypeOf(received).toEqualTypeOf<Event<"model.added", { model: Model }>>(), {
    types: ["model.added"],
  });
  broker.subscribe((received) => expectTypeOf(received.type).toEqualTypeOf<"model.added" | "model.deleted">(), {
    types: ["model.*"],
  });
  broker.subscribe((received) =>
    expectTypeOf(received.type).toEqualTypeOf<"model.added" | "model.deleted" | "sync.started">(),
  );
  broker.subscribe((received) => {
    if (received.type === "model.deleted") expectTypeOf(received.data).toEqualTypeOf<{ id: string }>();
  });
  // @ts-expect-error the pattern can match nothing
  broker.subscribe(() => undefined, { types: ["modle.*"] });
  // @ts-expect-error the pattern can match nothing
  broker.follow({ types: ["model.renamed"] });
});

test("a broker with a plain interface is typed the same", () => {
  const broker = new Broker<{ "user.joined": { name: string } }>();
  void broker.publish("user.joined", { name: "x" });
  // @ts-expect-error the payload is of another shape
  void broker.publish("user.joined", { name: 1 });
  // @ts-expect-error the type is not in the interface
  void broker.publish("user.left", { name: "x" });
});

test("a broker without a vocabulary takes any type", () => {
  const broker = new Broker();
  void broker.publish("any.thing", { at: "all" });
  broker.subscribe((received) => expectTypeOf(received.data).toEqualTypeOf<unknown>(), { types: ["any.*"] });
});
