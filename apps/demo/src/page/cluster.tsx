import { render, type VNode } from "preact";
import { clientState, followCluster, isDemoUp } from "./feed/cluster-feed.ts";
import { applyTheme } from "./feed/theme.ts";
import { Nodes } from "./panels/nodes.tsx";
import { SharedLog } from "./panels/shared-log.tsx";
import { TopBar } from "./panels/top-bar.tsx";
import "./style/index.css";

/** The page of `--cluster`. */
function Cluster(): VNode {
  return (
    <>
      <TopBar state={clientState.value} isUp={isDemoUp.value} />
      <main>
        <header class="cluster-lead">
          <h1>
            Kill a gateway. <em>Nobody misses an event.</em>
          </h1>
        </header>
        <Nodes />
        <SharedLog />
      </main>
      <footer class="foot">
        Every transport, a real catalog, and more that can be broken: <code>npm run demo</code>.
      </footer>
    </>
  );
}

applyTheme();
followCluster();

const place = document.getElementById("app");
if (place !== null) render(<Cluster />, place);
