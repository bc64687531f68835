/** What everybody publishes: a change of a model, 200 bytes of JSON. */
export const data = {
  id: "openai/gpt-x",
  name: "GPT X",
  provider: "openai",
  pricing: { input: 1.25, output: 10 },
  limits: { context: 400_000, output: 128_000 },
  note: "cheaper than it was, by a third, from the first of the month on",
};

export const type = "model.updated";
