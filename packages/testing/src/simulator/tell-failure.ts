import type { Verdict } from "./simulate.ts";

/** Lines of the journal that are shown before the first problem. */
const linesBefore = 12;

/** What went wrong in a world, what had just happened, and the one line that lives it again. */
export function tellFailure({ seed, problems, journal }: Verdict, command = "npm run simulate --"): string {
  const at = journal.findIndex((line) => line.includes("PROBLEM"));
  const before = at < 0 ? journal.slice(-linesBefore) : journal.slice(Math.max(0, at - linesBefore), at);
  return [
    `Seed ${seed}: ${problems[0] ?? "nothing went wrong"}`,
    ...problems.slice(1, 5).map((problem) => `  then: ${problem}`),
    ...before.map((line) => `    ${line}`),
    `  ${command} --seed ${seed}`,
  ].join("\n");
}
