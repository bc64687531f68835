// Reads what sources promise about options: every interface named ...Options, its members, their sentences and defaults.

const interfaces = /^(?:export )?interface (\w*Options)\b(?:<[^{]*?>)?(?: extends ([^{]+?))? \{\n([\s\S]*?)^\}/gm;
const members = /^(?:\s*\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?\s*readonly (\w+)(\??): ?(.*)$/gm;

/** The interfaces users write options by; what is resolved from them is left out. */
export function readOptionInterfaces(text) {
  return [...text.matchAll(interfaces)]
    .filter(([, name]) => !name.startsWith("Resolved"))
    .map(([, name, parents = "", body]) => ({
      name,
      parents: parents.match(/\b\w+Options\b/g) ?? [],
      options: [...body.matchAll(members)].map(readOption),
    }));
}

function readOption([, comment = "", name, mark, type]) {
  const sentences = comment.replace(/\s*\n\s*\*?\s*/g, " ").trim();
  const [promise, documented] = sentences.split(/\s*@default\s+/);
  return { name, isOptional: mark === "?", type: type.replace(/( \| undefined)?;$/, ""), promise, documented };
}
