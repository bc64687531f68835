import type { VNode } from "preact";
import { clientState } from "./feed/catalog-feed.ts";
import { isReachable } from "./feed/report-feed.ts";
import { BreakIt } from "./panels/break-it.tsx";
import { Catalog } from "./panels/catalog.tsx";
import { Connections } from "./panels/connections.tsx";
import { Flow } from "./panels/flow.tsx";
import { Mqtt } from "./panels/mqtt.tsx";
import { TopBar } from "./panels/top-bar.tsx";
import { Webhooks } from "./panels/webhooks.tsx";
import { Notice } from "./pieces/notice.tsx";

/** The page, from the whole to the parts. */
export function App(): VNode {
  return (
    <>
      <TopBar state={clientState.value} isUp={isReachable.value} />
      <main>
        <Flow />
        <BreakIt />
        <Catalog />
        <Webhooks />
        <div class="pair">
          <Mqtt />
          <Connections />
        </div>
      </main>
      <footer class="foot">
        The catalog is real: the model price lists of <code>@pydantic/genai-prices</code>, told again. Everything on
        this page comes over Starcast itself. Several gateways on one log, each with a button to kill it:{" "}
        <code>npm run demo -- --cluster 3</code>.
      </footer>
      <Notice />
    </>
  );
}
