import { connect } from "@starcast/client";
import { useClientState, useEvents, useReplica } from "@starcast/client/react";
import { replica } from "@starcast/client/replica";
import { createElement, StrictMode, useState, type ReactElement } from "react";
import { createRoot } from "react-dom/client";
import { modelEvents, type Model, type ModelEvents } from "../models.ts";

const client = connect<ModelEvents>({ url: "/events", events: modelEvents });
const models = replica<ModelEvents, Model>(client, {
  load: async () => (await fetch("/models")).json() as Promise<never>,
});

function Numbers(): ReactElement {
  const [numbers, setNumbers] = useState<readonly number[]>([]);
  useEvents(client, "number.drawn", ({ data }) => setNumbers([...numbers, data.n]));
  return createElement("p", { id: "numbers" }, numbers.join(" "));
}

function App(): ReactElement {
  const { kind } = useClientState(client);
  const entries = useReplica(models);
  const rows = [...entries].map(([id, { n }]) => createElement("li", { key: id }, `${id} ${n}`));
  const isShown = entries.size < 3;
  return createElement(
    "main",
    null,
    createElement("p", { id: "state" }, kind),
    createElement("ul", { id: "models" }, rows),
    isShown ? createElement(Numbers) : null,
  );
}

createRoot(document.body).render(createElement(StrictMode, null, createElement(App)));
