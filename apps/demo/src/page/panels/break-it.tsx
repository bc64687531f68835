import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { transportKeys } from "../../status/report.ts";
import type { Report } from "../../status/report.ts";
import { cutSockets } from "../feed/cuttable-socket.ts";
import { giveOrder, say } from "../feed/give-order.ts";
import { isReachable, report } from "../feed/report-feed.ts";
import { Panel } from "../pieces/panel.tsx";
import { count } from "../words/format.ts";

/** Something that can be broken, and mended again. */
interface Breakable {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly verb: string;
  readonly what: string;
  readonly action: string;
  readonly done: string;
  readonly isBroken: (now: Report) => boolean;
  readonly isPossible?: (now: Report) => boolean;
}

const breakables: readonly Breakable[] = [
  {
    id: "cut",
    title: "WebSocket",
    about: "The receiver loses its connection and stays away.",
    verb: "Cut it",
    what: "websocket",
    action: "cut",
    done: "The WebSocket is cut. Its events wait in the log.",
    isBroken: ({ receivers }) => receivers.websocket.state === "cut",
  },
  {
    id: "stall",
    title: "SSE",
    about: "The reader stays connected, and reads nothing.",
    verb: "Stall it",
    what: "sse",
    action: "stall",
    done: "The SSE reader stands still. It costs the server a number, not memory.",
    isBroken: ({ receivers }) => receivers.sse.state === "stalled",
  },
  {
    id: "freeze",
    title: "MQTT",
    about: "The MQTT broker hangs and acknowledges nothing.",
    verb: "Freeze it",
    what: "mqtt",
    action: "freeze",
    done: "The MQTT broker is frozen. What it did not acknowledge is not done.",
    isBroken: ({ mqtt }) => mqtt.broker === "frozen",
    isPossible: ({ abilities }) => abilities.canFreezeMqtt,
  },
  {
    id: "stop",
    title: "Webhooks",
    about: "Both partners' servers are down.",
    verb: "Stop them",
    what: "webhooks",
    action: "stop",
    done: "The webhook receivers are down. Deliveries are tried again.",
    isBroken: ({ receivers }) => receivers.webhooks.state === "stopped",
  },
];

/** Trouble on demand, and the books that show what came of it. */
export function BreakIt(): VNode {
  const now = report.value;
  return (
    <Panel
      id="break-it"
      title="Break it"
      about="Take anything away while events are published. Then mend it, and count."
      aside={now !== null && <Books now={now} />}
    >
      {now !== null && (
        <div class="break-grid">
          {breakables.map((each) => (
            <BreakCard key={each.id} {...each} now={now} />
          ))}
          <Burst now={now} />
          <Restart now={now} />
        </div>
      )}
      <p class="break-own">
        <button type="button" class="quiet" onClick={cutOwn}>
          Cut this page's own socket
        </button>
        <span class="muted">The client resumes by itself, after the last event it had.</span>
      </p>
    </Panel>
  );
}

/** What all four receivers have to show for themselves. */
function Books({ now }: { readonly now: Report }): VNode {
  const sum = (name: "received" | "lost" | "told" | "repeated"): number =>
    transportKeys.reduce((total, key) => total + now.receivers[key][name], 0);
  return (
    <dl class="books" aria-label="The books of all receivers">
      <div class="lost">
        <dt>lost</dt>
        <dd data-number="lost">{count(sum("lost"))}</dd>
      </div>
      <div>
        <dt>delivered</dt>
        <dd data-number="delivered">{count(sum("received"))}</dd>
      </div>
      <div>
        <dt>told as gaps</dt>
        <dd data-number="told">{count(sum("told"))}</dd>
      </div>
      <div>
        <dt>came twice, same id</dt>
        <dd data-number="repeated">{count(sum("repeated"))}</dd>
      </div>
    </dl>
  );
}

function BreakCard(props: Breakable & { readonly now: Report }): VNode {
  const { id, title, about, verb, what, action, done, now } = props;
  const isBroken = props.isBroken(now);
  const isBusy = useSignal(false);
  const isPossible = props.isPossible?.(now) ?? true;
  const push = async (): Promise<void> => {
    isBusy.value = true;
    await giveOrder(
      { what, action: isBroken ? "mend" : action },
      isBroken ? `${title} is back, and goes on where it was.` : done,
    );
    isBusy.value = false;
  };
  return (
    <article class={`break-card ${isBroken ? "broken" : ""}`} data-break={id}>
      <h3>{title}</h3>
      <p class="muted">{isPossible ? about : "This one is yours: the demo does not touch it."}</p>
      <button
        type="button"
        class={isBroken ? "mend" : ""}
        disabled={!isPossible || isBusy.value}
        onClick={() => void push()}
      >
        {isBroken ? "Mend it" : verb}
      </button>
    </article>
  );
}

function Burst({ now }: { readonly now: Report }): VNode {
  const isGoing = now.burstLeft !== null;
  return (
    <article class="break-card" data-break="burst">
      <h3>A storm</h3>
      <p class="muted">
        {isGoing ? `${count(now.burstLeft ?? 0)} still to come` : "As many price changes as we can make."}
      </p>
      <button
        type="button"
        disabled={isGoing}
        onClick={() => void giveOrder({ what: "catalog", action: "burst" }, "10,000 events are on their way.")}
      >
        Burst 10,000
      </button>
    </article>
  );
}

function Restart({ now }: { readonly now: Report }): VNode {
  const isKept = now.durability !== "memory";
  const done = isKept
    ? "The process is killed. Everything is on disk: watch it go on."
    : "The process is killed. Its log was in memory: everyone is told of a gap.";
  return (
    <article class={`break-card ${isReachable.value ? "" : "broken"}`} data-break="restart">
      <h3>The process</h3>
      <p class="muted">
        {isKept
          ? "Killed with -9, started again; nothing is lost."
          : "Killed with -9. In memory: a gap, told. Try --durable."}
      </p>
      <button
        type="button"
        disabled={!now.abilities.canRestart || !isReachable.value}
        onClick={() => void giveOrder({ what: "process", action: "restart" }, done)}
      >
        {isReachable.value ? "Kill it" : "Restarting…"}
      </button>
    </article>
  );
}

function cutOwn(): void {
  if (cutSockets()) say("done", "This page's socket is cut.");
  else say("failed", "This page has no socket open right now.");
}
