import type { VNode } from "preact";
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
      <TopBar />
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
        this page comes over Starcast itself.
      </footer>
      <Notice />
    </>
  );
}
