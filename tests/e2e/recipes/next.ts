import { Broker } from "@starcast/core";
import { SseGateway, allowAnyone } from "@starcast/sse";

// app/events/route.ts: one module, so one broker and one gateway in the process.
export const broker = new Broker();
const sse = new SseGateway(broker, { authorize: allowAnyone });

export const dynamic = "force-dynamic";
export const GET = (request: Request): Promise<Response> => sse.fetch(request);
export const HEAD = (request: Request): Promise<Response> => sse.fetch(request);
export const OPTIONS = (request: Request): Promise<Response> => sse.fetch(request);
