import { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { Sink } from "./sink.ts";

const sinkOf: unique symbol = Symbol("sink");

type Watched = (ServerResponse | Http2ServerResponse) & { [sinkOf]?: Sink };

/** Tells the sink's owner when the response is over. One listener for all: no closure per connection. */
export function watchResponse(res: ServerResponse | Http2ServerResponse, sink: Sink): void {
  const watched: Watched = res;
  watched[sinkOf] = sink;
  watched.on("close", onClose);
  // Without a listener the error of a broken connection would be thrown; `close` follows it.
  watched.on("error", ignore);
  // While it waits behind another response of its connection, nobody tells this one that the connection went.
  if (res instanceof ServerResponse && res.socket === null) watchConnection(res, sink);
}

function onClose(this: Watched): void {
  this[sinkOf]?.owner?.onGone();
}

function ignore(): void {}

function watchConnection(res: ServerResponse, sink: Sink): void {
  const connection = res.req.socket;
  const onGone = (): void => sink.owner?.onGone();
  connection.once("close", onGone);
  res.once("socket", () => connection.removeListener("close", onGone));
}
