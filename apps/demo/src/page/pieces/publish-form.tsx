import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { giveOrder } from "../feed/give-order.ts";

/** A model of the visitor's own: one event more, to see it arrive everywhere. */
export function PublishForm(): VNode {
  const name = useSignal("");
  const price = useSignal("1.25");
  const publish = async (): Promise<void> => {
    const order = { what: "catalog", action: "publish", name: name.value, price: Number(price.value) };
    if (await giveOrder(order, `Published: ${name.value}. It is in the log, and on its way to everyone.`))
      name.value = "";
  };
  return (
    <form
      class="filters publish"
      aria-label="Publish a model of your own"
      onSubmit={(event) => {
        event.preventDefault();
        void publish();
      }}
    >
      <label class="grow">
        <span>Publish one of your own</span>
        <input
          required
          maxLength={80}
          placeholder="My Model 1"
          value={name.value}
          onInput={({ currentTarget }) => void (name.value = currentTarget.value)}
        />
      </label>
      <label>
        <span>$ per million tokens</span>
        <input
          required
          type="number"
          min="0"
          max="10000"
          step="any"
          value={price.value}
          onInput={({ currentTarget }) => void (price.value = currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary">
        Publish
      </button>
    </form>
  );
}
