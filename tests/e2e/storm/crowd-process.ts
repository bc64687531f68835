// Some of the storm's clients, in a process of their own: one has 20,000 descriptors at most, and the server needs them.
import { seededRandom } from "@starcast/testing";
import { Life } from "./life.ts";
import { emptyReport, type Asked, type Orders, type Report, type Said } from "./report.ts";

const { url, clients, seed, lossesPerSecond } = JSON.parse(process.argv[2] ?? "{}") as Orders;
const random = seededRandom(seed);
const lives: Life[] = [];
const say = (said: Said): void => void process.send?.(said);
let shaking: NodeJS.Timeout | undefined;

process.on("message", (asked: Asked) => {
  if (asked.kind === "shake") shake();
  else if (asked.kind === "report") say({ kind: "report", ...report(0) });
  else void settle(asked.offset, asked.withinMs);
});

process.on("disconnect", () => lives.forEach((life) => life.end()));

while (lives.length < clients) {
  const arriving = Array.from(
    { length: Math.min(100, clients - lives.length) },
    (_, index) => new Life(url, index % 2 === 0 ? "websocket" : "sse", random),
  );
  lives.push(...arriving);
  await Promise.all(arriving.map((life) => life.connected()));
}
say({ kind: "connected" });

function shake(): void {
  const stepMs = 50;
  let due = 0;
  // By steps, not by the clock: a machine that cannot keep up is given a longer storm, not ever more to do at once.
  shaking = setInterval(() => {
    for (due += (lossesPerSecond * stepMs) / 1_000; due >= 1; due -= 1)
      lives[Math.floor(random.next() * clients)]?.shake();
  }, stepMs);
}

async function settle(offset: number, withinMs: number): Promise<void> {
  clearInterval(shaking);
  const tooLate = new Promise<void>((resolve) => setTimeout(resolve, withinMs).unref());
  await Promise.race([Promise.all(lives.map((life) => life.reached(offset))), tooLate]);
  say({ kind: "report", ...report(offset) });
  process.disconnect();
}

function report(offset: number): Report {
  const faults: string[] = [];
  const sum: Report = { ...emptyReport, clients, faults };
  for (const [number, life] of lives.entries()) {
    const { judge } = life;
    const { repeated, lost, wrongGaps } = judge.faults;
    const isBehind = judge.place < offset;
    sum.behind += isBehind ? 1 : 0;
    sum.connections += life.reconnects;
    sum.events += judge.events;
    sum.gaps += judge.gaps;
    sum.repeated += repeated;
    sum.lost += lost;
    sum.wrongGaps += wrongGaps;
    sum.longestWayMs = Math.max(sum.longestWayMs, life.longestWayMs);
    const fault = judge.verdict === "whole" && isBehind ? `is at ${judge.place} of ${offset}` : judge.verdict;
    if (fault !== "whole" && faults.length < 3) faults.push(`${life.transport} client ${number}: ${fault}`);
  }
  return sum;
}
