/** A record of a model: the fields of a catalog, values and words that change from one to the next, always the same way. */
export function variedModel(count: number, bytes: number): unknown {
  let state = (count * 2_654_435_761) >>> 0;
  const next = (below: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 374_761_393) >>> 0;
    return state % below;
  };
  const model = {
    id: `${providers[next(providers.length)]}/model-${next(400)}`,
    context: 1_024 * (1 + next(1_000)),
    price: { input: next(3_000) / 100, output: next(9_000) / 100 },
    about: "",
  };
  const words: string[] = [];
  for (
    let length = JSON.stringify(model).length + envelopeBytes;
    length < bytes;
    length += (words.at(-1)?.length ?? 0) + 1
  )
    words.push(vocabulary[next(vocabulary.length)] ?? "");
  return { ...model, about: words.join(" ") };
}

/** Id, type and time around the data. */
const envelopeBytes = 95;

const providers = ["openai", "anthropic", "google", "mistral", "meta", "qwen", "deepseek", "cohere"];

const vocabulary = (
  "a model for long documents and short answers with tools images audio code reasoning that is fast cheap careful open " +
  "weights of many languages trained until this year deprecated next spring replaced by its larger sister preview only in " +
  "some regions priced per million tokens cached input counts half batch requests cost less context grows output limit"
).split(" ");
