import { describe, expect, it } from "vitest";
import { readExamples } from "./readme-examples.mjs";

const block = (info, text) => `\`\`\`${info}\n${text}\n\`\`\`\n`;

describe("the runnable examples of a README", () => {
  it("are the blocks that say so, each with the output beneath it", () => {
    const markdown = [
      "# Title",
      block("js", "no"),
      block("js runs", "yes()"),
      block("text output", "1"),
      block("js serves", "up()"),
    ].join("\n");
    expect(readExamples(markdown)).toEqual([
      { kind: "runs", code: "yes()\n", output: "1\n" },
      { kind: "serves", code: "up()\n", output: undefined },
    ]);
  });

  it("refuse an output that belongs to no example", () => {
    expect(() => readExamples(block("text output", "1"))).toThrow("to follow an example");
  });

  it("refuse a language that nothing runs", () => {
    expect(() => readExamples(block("ts runs", "1"))).toThrow("got `ts runs`");
  });
});
