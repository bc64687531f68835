import { createServer } from "node:http";
import { Server } from "socket.io";
import { serve } from "./contender.ts";

const server = createServer();
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false, pingInterval: 300_000 });
serve({ server, publish: (event) => void io.emit("event", event) });
