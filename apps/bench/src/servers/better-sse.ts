import { createServer } from "node:http";
import { createChannel, createSession } from "better-sse";
import { serve } from "./contender.ts";

const channel = createChannel();
const server = createServer((request, response) => {
  void createSession(request, response).then((session) => channel.register(session));
});
serve({ server, publish: (event) => void channel.broadcast(event, event.type, { eventId: event.id }) });
