// npm run simulate -- --seed N | --seeds COUNT [--from N] [--steps N] [--bug NAME]
import { argv, exit, stdout } from "node:process";
import { parseArgs } from "node:util";
import { plantedBugs } from "./planted-bug.ts";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    steps: { type: "string" },
    bug: { type: "string" },
  },
});
const bug = plantedBugs.find(({ name }) => name === values.bug);
const first = Number(values.seed ?? values.from);
const last = values.seed === undefined ? first + Number(values.seeds) - 1 : first;
const steps = values.steps === undefined ? undefined : Number(values.steps);
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || (values.bug !== undefined && bug === undefined)) {
  stdout.write(`Expected whole numbers, and for --bug one of: ${plantedBugs.map(({ name }) => name).join(", ")}\n`);
  exit(2);
}

const totals = { published: 0, refused: 0, lives: 0, restarts: 0 };
let failed = 0;
for (let seed = first; seed <= last; seed += 1) {
  const { problems, journal, counts } = await simulate({ seed, steps, bug });
  totals.published += counts.published;
  totals.refused += counts.refused;
  totals.lives += counts.lives;
  totals.restarts += counts.restarts;
  if (values.seed !== undefined) stdout.write(journal.map((line) => `${line}\n`).join(""));
  if (problems.length === 0) continue;
  failed += 1;
  stdout.write(
    `Seed ${seed}: ${problems.slice(0, values.seed === undefined ? 1 : 20).join("\n  ")}\n  npm run simulate -- --seed ${seed}\n`,
  );
}
const { published, refused, lives, restarts } = totals;
stdout.write(
  `${last - first + 1 - failed} passed, ${failed} failed: ${published} events published, ${refused} refused, ${lives} lives, ${restarts} restarts\n`,
);
exit(failed === 0 ? 0 : 1);
