// npm run simulate -- --seed N | --seeds COUNT [--from N] [--steps N] [--engine NAME] [--bug NAME]
import { argv, exit, stdout } from "node:process";
import { parseArgs } from "node:util";
import { diskEngine } from "./disk/disk-engine.ts";
import { remoteEngine } from "./engine.ts";
import { plantedBugs } from "./planted-bug.ts";
import { simulate } from "./simulate.ts";
import { tellFailure } from "./tell-failure.ts";

const engines = { remote: remoteEngine, disk: diskEngine };

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    steps: { type: "string" },
    engine: { type: "string" },
    bug: { type: "string" },
  },
});
const bug = plantedBugs.find(({ name }) => name === values.bug);
const engine = Object.entries(engines).find(([name]) => name === values.engine)?.[1];
const first = Number(values.seed ?? values.from);
const last = values.seed === undefined ? first + Number(values.seeds) - 1 : first;
const steps = values.steps === undefined ? undefined : Number(values.steps);
const isUnknown = (asked: string | undefined, found: unknown): boolean => asked !== undefined && found === undefined;
if (
  !Number.isSafeInteger(first) ||
  !Number.isSafeInteger(last) ||
  isUnknown(values.bug, bug) ||
  isUnknown(values.engine, engine)
) {
  stdout.write(
    `Expected whole numbers, for --engine one of ${Object.keys(engines).join(", ")}, for --bug one of ${plantedBugs.map(({ name }) => name).join(", ")}\n`,
  );
  exit(2);
}

const how = Object.entries({ steps: values.steps, engine: values.engine, bug: values.bug && `"${values.bug}"` });
const command = ["npm run simulate --", ...how.flatMap(([name, value]) => (value ? [`--${name} ${value}`] : []))].join(
  " ",
);
const totals: Record<string, number> = {};
let failed = 0;
for (let seed = first; seed <= last; seed += 1) {
  const verdict = await simulate({ seed, steps, engine, bug });
  for (const [what, count] of Object.entries(verdict.counts)) totals[what] = (totals[what] ?? 0) + count;
  if (values.seed !== undefined) stdout.write(verdict.journal.map((line) => `${line}\n`).join(""));
  if (verdict.problems.length === 0) continue;
  failed += 1;
  stdout.write(`${tellFailure(verdict, command)}\n`);
}
const summary = Object.entries(totals).map(([what, count]) => `${count} ${what}`);
stdout.write(`${last - first + 1 - failed} passed, ${failed} failed: ${summary.join(", ")}\n`);
exit(failed === 0 ? 0 : 1);
