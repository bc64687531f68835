import { connect } from "@starcast/client";
import { useClientState, useEvents, useReplica } from "@starcast/client/react";
import { replica } from "@starcast/client/replica";
import { createElement, StrictMode, useEffect, useState, type ReactElement } from "react";
import { createRoot } from "react-dom/client";
import { modelEvents, type Model, type ModelEvents } from "../models.ts";

const client = connect<ModelEvents>({ url: "/events", events: modelEvents });
const models = replica<ModelEvents, Model>(client, {
  load: async () => (await fetch("/models")).json() as Promise<never>,
});

function Numbers(): ReactElement {
  const [numbers, setNumbers] = useState<readonly number[]>([]);
  const [isListening, setListening] = useState(false);
  // Two may come before the next render.
  useEvents(client, "number.drawn", ({ data }) => setNumbers((seen) => [...seen, data.n]));
  useEffect(() => setListening(true), []);
  return createElement("p", { id: "numbers" }, isListening ? `drawn ${numbers.join(" ")}` : "");
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
