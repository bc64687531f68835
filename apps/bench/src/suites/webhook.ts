import { fork, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeKey, parseKey, sign } from "@starcast/standard-webhooks";
import { Webhook } from "standardwebhooks";
import { answer, stop } from "../child.ts";
import { interleave, ratio } from "../interleave.ts";
import { pin } from "../results.ts";
import { data, type SendRequest } from "../senders/sender.ts";
import type { Suite } from "../suite.ts";
import { rowsOf } from "../table.ts";

/** Signed webhooks to one endpoint that answers at once, beside what undici and the built-in fetch do. */
export const suite: Suite = async ({ isQuick, say }) => {
  const rounds = isQuick ? 5 : 11;
  const count = isQuick ? 4_000 : 10_000;
  const sink = start("servers/webhook-sink.ts", [], 1);
  const senders = new Map<string, ChildProcess>();
  const folder = await mkdtemp(join(tmpdir(), "starcast-bench-"));
  try {
    const { port } = await answer<{ readonly port: number }>(sink, "listening");
    const scripts: Readonly<Record<string, readonly [script: string, ...args: string[]]>> = {
      [pool]: ["pool-request"],
      [bare]: ["bare-dispatch"],
      [memory]: ["starcast-webhook"],
      [sqlite]: ["starcast-webhook", join(folder, "events.db")],
      [loop]: ["fetch-loop"],
    };
    for (const [name, [script, ...args]] of Object.entries(scripts)) {
      const sender = start(`senders/${script}.ts`, [`http://127.0.0.1:${port}`, ...args], 0);
      senders.set(name, sender);
      await answer(sender, "ready");
    }
    say(`sending ${count} webhooks per round`);
    const sending = await interleave(
      Object.fromEntries([...senders].map(([name, sender]) => [name, () => perWebhook(sender, count)])),
      rounds,
    );
    say("signing");
    const signing = await interleave(signers(), rounds * 3);
    return {
      rows: [...rowsOf("send one webhook", sending, "us"), ...rowsOf("sign 200 B", signing, "us")],
      ratios: {
        "webhook.signed.vsPoolRequest": ratio(sending, pool, memory),
        "webhook.signed.vsBareDispatch": ratio(sending, bare, memory),
        "webhook.durable.vsPoolRequest": ratio(sending, pool, sqlite),
        "webhook.bareDispatch.vsPoolRequest": ratio(sending, pool, bare),
        "webhook.durable.vsFetchLoop": ratio(sending, loop, sqlite),
        "webhook.sign.vsStandardwebhooks": ratio(signing, peer, "starcast"),
      },
      rounds,
    };
  } finally {
    await Promise.all([sink, ...senders.values()].map(stop));
    await rm(folder, { recursive: true });
  }
};

const pool = "Pool.request, signed before";
const bare = "dispatch, signed and nothing else";
const memory = "starcast, memory";
const sqlite = "starcast, SQLite, 10 ms commits";
const loop = "fetch loop, standardwebhooks";
const peer = "standardwebhooks";

function start(script: string, args: readonly string[], core: number): ChildProcess {
  const child = fork(fileURLToPath(new URL(`../${script}`, import.meta.url)), args, {
    execArgv: [...process.execArgv],
  });
  pin(child.pid, core);
  return child;
}

/** Microseconds from the first publication to the last outcome, per webhook. */
async function perWebhook(sender: ChildProcess, count: number): Promise<number> {
  const request: SendRequest = { kind: "send", count };
  sender.send(request);
  const { ms } = await answer<{ readonly ms: number }>(sender, "sent");
  return (ms * 1_000) / count;
}

/** The same event as is sent, by a key that was made ready before. */
function signers(): Record<string, () => Promise<number>> {
  const key = makeKey();
  const body = JSON.stringify({
    id: "abcd1234-1042",
    type: "model.updated",
    timestamp: new Date().toISOString(),
    data,
  });
  const theirs = new Webhook(key);
  const keys = [parseKey(key)];
  const bytes = new TextEncoder().encode(body);
  const id = "abcd1234-1042";
  return {
    starcast: () => perSignature(() => sign({ id, timestamp: Date.now(), body: bytes, keys })),
    [peer]: () => perSignature(() => theirs.sign(id, new Date(), body)),
  };
}

async function perSignature(act: () => unknown): Promise<number> {
  const runs = 5_000;
  const started = process.hrtime.bigint();
  for (let run = 0; run < runs; run += 1) await act();
  return Number(process.hrtime.bigint() - started) / 1_000 / runs;
}
