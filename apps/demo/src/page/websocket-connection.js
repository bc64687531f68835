const workerFile = "websocket-worker.js";

// The page may start this one script and no other (Trusted Types), where the browser knows of such a rule.
const policy = globalThis.trustedTypes?.createPolicy("starcast", {
  createScriptURL: (url) => (url === workerFile ? url : ""),
});

/** A WebSocket connection in a worker, so that it can stop reading without closing. */
export class WebSocketConnection {
  /** Stalling needs memory shared with the worker, which a page has only in a secure context. */
  static canStall = globalThis.crossOriginIsolated === true;

  #worker = new Worker(policy?.createScriptURL(workerFile) ?? workerFile);
  #brake = WebSocketConnection.canStall ? new SharedArrayBuffer(4) : null;

  /** `on` is told of every frame, and once of the end. */
  constructor(after, on) {
    this.#worker.onmessage = ({ data }) => {
      for (const frame of data.frames ?? []) on.frame(frame);
      if (data.closed !== undefined) on.end();
    };
    const url = new URL(`/events?after=${encodeURIComponent(after)}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    this.#worker.postMessage({ op: "open", url: url.href, brake: this.#brake });
  }

  stall() {
    Atomics.store(new Int32Array(this.#brake), 0, 1);
    this.#worker.postMessage({ op: "stall" });
  }

  unstall() {
    if (this.#brake === null) return;
    const brake = new Int32Array(this.#brake);
    Atomics.store(brake, 0, 0);
    Atomics.notify(brake, 0);
  }

  /** The way a cable is cut: no goodbye. */
  close() {
    this.unstall();
    this.#worker.terminate();
  }
}
