// What a README promises to run. A block whose fence says so is run by tests/e2e/packed.slow.test.ts in an empty
// project where only the packed packages are installed:
//   ```js runs     ends by itself with exit code 0
//   ```js serves   prints a line when it is up, and ends with exit code 0 on SIGINT
// A block ```text output right after it is, to the letter, what the example prints.

const fence = /^```(\S+)(?: ([^\n]*))?\n([\s\S]*?)^```$/gm;

/** The runnable examples of a README, in order. */
export function readExamples(markdown) {
  const examples = [];
  for (const [, language, info = "", text] of markdown.matchAll(fence)) {
    if (language === "js" && (info === "runs" || info === "serves"))
      examples.push({ kind: info, code: text, output: undefined });
    else if (language === "text" && info === "output") attachOutput(examples, text);
    else if (/^(runs|serves|output)$/.test(info))
      throw new Error(`Expected \`js runs\`, \`js serves\` or \`text output\`, got \`${language} ${info}\``);
  }
  return examples;
}

function attachOutput(examples, text) {
  const last = examples.at(-1);
  if (last === undefined || last.output !== undefined)
    throw new Error("Expected `text output` to follow an example, got it alone");
  last.output = text;
}
