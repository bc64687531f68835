import type { VNode } from "preact";
import type { NodeReport } from "../../cluster/node-report.ts";
import { killNode, nodes } from "../feed/cluster-feed.ts";
import { Panel } from "../pieces/panel.tsx";
import { Pill } from "../pieces/pill.tsx";
import { count } from "../words/format.ts";

/** The gateways, each with a button that ends it. */
export function Nodes(): VNode {
  return (
    <Panel
      id="nodes"
      title="Gateways"
      about="Each is a process of its own that publishes twice a second into the one log. A killed one is started again."
    >
      <div class="node-grid">
        {nodes.value.map((node) => (
          <NodeCard key={node.name} node={node} />
        ))}
      </div>
    </Panel>
  );
}

function NodeCard({ node }: { readonly node: NodeReport }): VNode {
  const { name, pid, kills, clients } = node;
  const isUp = pid !== null;
  return (
    <article class={`break-card ${isUp ? "" : "broken"}`} data-node={name} data-state={isUp ? "up" : "down"}>
      <h3>
        {name} <Pill tone={isUp ? "good" : "bad"}>{isUp ? "Up" : "Down"}</Pill>
      </h3>
      <p class="muted">
        {isUp ? `Process ${pid}, ` : "Back in a moment, "}
        <span data-number="clients">{count(clients)}</span> connected, killed {count(kills)}{" "}
        {kills === 1 ? "time" : "times"}
      </p>
      <button type="button" disabled={!isUp} onClick={() => void killNode(name)}>
        {isUp ? `Kill ${name}` : "Restarting…"}
      </button>
    </article>
  );
}
