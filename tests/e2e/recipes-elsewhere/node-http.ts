import { Broker } from "@starcast/core";
import { allowAnyone } from "@starcast/sse";
import { serveWithNode } from "../recipes/node-http.ts";

// The recipe for node:http as a program of its own, for runtimes that have node:http too.
const broker = new Broker();
serveWithNode(broker, allowAnyone).listen(Number(process.env["PORT"]), "127.0.0.1");
setInterval(() => void broker.publish("clock.ticked", { at: Date.now() }), 200);
