import "reflect-metadata";
import type { IncomingMessage, ServerResponse } from "node:http";
import { All, Controller, Inject, Module, Req, Res, type INestApplication } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { Broker } from "@starcast/core";
import { SseGateway, type Authorize } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";

@Controller("events")
class EventsController {
  readonly #sse: SseGateway;

  constructor(@Inject(SseGateway) sse: SseGateway) {
    this.#sse = sse;
  }

  /** Whoever injects the response answers it. */
  @All()
  follow(@Req() request: IncomingMessage, @Res() response: ServerResponse): void {
    this.#sse.handle(request, response);
  }
}

@Module({ controllers: [EventsController] })
class EventsModule {}

export async function serveWithNest(broker: Broker, authorize: Authorize): Promise<INestApplication> {
  const sse = { provide: SseGateway, useValue: new SseGateway(broker, { authorize }) };
  const app = await NestFactory.create({ module: EventsModule, providers: [sse] }, { logger: false });
  new WebSocketGateway(broker, { server: app.getHttpServer(), path: "/events", authorize });
  return app;
}
