import { createServer, type Server } from "node:http";
import { Broker, MemoryStore } from "@starcast/core";
import { SseGateway } from "@starcast/sse";
import { WebSocketGateway, type Authorize } from "@starcast/websocket";

/** Rooms are subjects; who may enter which is said once, for both transports. */
export function serveRooms(roomsOf: (token: string | null) => readonly string[] | null): {
  broker: Broker;
  server: Server;
} {
  const broker = new Broker({ store: new MemoryStore({ retention: { maxEvents: 50_000 } }) });
  const authorize: Authorize = ({ token }) => {
    const rooms = roomsOf(token);
    return rooms && { identity: token, subjects: rooms.map((room) => `${room}/*`) };
  };
  const sse = new SseGateway(broker, { authorize });
  const server = createServer(sse.handle);
  new WebSocketGateway(broker, { server, path: "/events", authorize });
  return { broker, server };
}
