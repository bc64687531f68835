import { signal } from "@preact/signals";
import { connect } from "@starcast/client";
import type { ClientEvent, ClientState } from "@starcast/client";
import type { NodeReport } from "../../cluster/node-report.ts";

/** Events that are shown. */
const maxLatest = 6;

const lookEveryMs = 1_000;

export const nodes = signal<readonly NodeReport[]>([]);
export const isDemoUp = signal(true);
export const clientState = signal<ClientState | null>(null);
/** What this page was told, and what it was not, as the dense offsets say. */
export const stream = signal({ events: 0, reconnects: 0, missing: 0, gaps: 0 });
/** Newest first. */
export const latest = signal<readonly ClientEvent[]>([]);

/** Follows the log through the balancer, and looks at the nodes. */
export function followCluster(): void {
  const client = connect({ url: "/events" });
  let newest: string | null = null;
  client.on("state", (state) => {
    clientState.value = state;
    const { reconnects, ...rest } = stream.value;
    if (state.kind === "catching_up") stream.value = { ...rest, reconnects: reconnects + 1 };
  });
  client.on("gap", ({ through }) => {
    newest = through;
    stream.value = { ...stream.value, gaps: stream.value.gaps + 1 };
  });
  client.on("**", (event) => {
    const { events, missing, ...rest } = stream.value;
    stream.value = { ...rest, events: events + 1, missing: missing + missingBetween(newest, event.id) };
    newest = event.id;
    latest.value = [event, ...latest.value].slice(0, maxLatest);
  });
  void look();
}

/** Kills a node as a crash does. */
export async function killNode(name: string): Promise<void> {
  await fetch(`/kill?node=${encodeURIComponent(name)}`, { method: "POST" }).catch(() => undefined);
  await lookOnce();
}

async function look(): Promise<void> {
  await lookOnce();
  setTimeout(() => void look(), lookEveryMs);
}

async function lookOnce(): Promise<void> {
  try {
    const answer = await fetch("/nodes");
    // The demo's own report, from the page's own origin.
    nodes.value = (await answer.json()) as readonly NodeReport[];
    isDemoUp.value = true;
  } catch {
    // The demo itself may be stopped while the page stays open.
    isDemoUp.value = false;
  }
}

function missingBetween(before: string | null, after: string): number {
  const [epoch, offset] = after.split("-");
  const [epochBefore, offsetBefore] = before?.split("-") ?? [];
  return epoch === epochBefore ? Number(offset) - Number(offsetBefore) - 1 : 0;
}
